import type { DoctorFacts, HeartbeatFacts } from './doctor-facts.ts';
import { type Finding, failed, late, ok, unknown, warning } from './finding.ts';
import { ageOf } from './judge-storage.ts';

const HOUR_MS = 3_600_000;

/** What runs by itself: how long it may take until its next run ends, with room for one that failed, and what it does. */
const RUNS: Readonly<
  Record<
    HeartbeatFacts['name'],
    { readonly withinMs: number; readonly every: string; readonly without: string }
  >
> = {
  // As the alerts sweep-missing and heartbeat-missing
  sweep: {
    withinMs: 3 * HOUR_MS,
    every: 'every hour, at 17 minutes past',
    without: 'Without it, the relay finds no lost attempts and deletes nothing.',
  },
  warnings: {
    withinMs: 26 * HOUR_MS,
    every: 'every day at 07:00 UTC',
    without: 'Without it, nobody is warned before a credential expires.',
  },
  rotation: {
    withinMs: 26 * HOUR_MS,
    every: 'every day',
    without: 'Without it, the relay does not renew its client secret.',
  },
};

/** Whether what runs by itself has run. */
export const judgeRuns = ({ heartbeats, now }: DoctorFacts): readonly Finding[] =>
  heartbeats.map(({ name, lastRun: seen }) => {
    const check = { check: 'last-run', subject: name };
    const { withinMs, every, without } = RUNS[name];
    if (seen.kind === 'late') return late(check);
    if (seen.kind === 'failed') return unknown(check, 'Cannot be checked without storage.');
    if (seen.value === undefined)
      return unknown(
        check,
        `It has not completed since this version was deployed. It runs ${every}.`,
        'After a new deployment, nothing. Otherwise look for its exceptions in the log.',
      );
    const { endedAt, trouble } = seen.value;
    const ageMs = Math.max(0, now.getTime() - endedAt.getTime());
    const ago = `It last completed ${ageOf(ageMs)} ago (${endedAt.toISOString().slice(0, 16)}Z).`;
    if (ageMs <= withinMs && trouble !== undefined)
      return warning(check, `${ago} ${trouble}`, 'Look for its events in the log: they say what failed.');
    return ageMs <= withinMs
      ? ok(check, ago)
      : failed(
          check,
          `${ago} It runs ${every}. ${without}`,
          'Look for its exceptions in the log, then restart the app: az functionapp restart --resource-group <group> --name <app>',
        );
  });
