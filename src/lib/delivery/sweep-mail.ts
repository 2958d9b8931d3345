import { sweepDrafts } from './sweep-drafts.ts';
import {
  sweepCaptured,
  sweepEarlier,
  sweepExpired,
  sweepPayloads,
  sweepPoison,
  sweepRecords,
  sweepUsages,
} from './sweep-leftovers.ts';
import { sweepLost, sweepOverdue } from './sweep-open.ts';
import type { Counts, Run, SweepNeeds } from './sweep-run.ts';

/** Far below functionTimeout, past which the host ends the process and every email in flight with it. */
const BUDGET_MS = 120_000;
const HOUR_MS = 3_600_000;

const PARTS = [
  sweepEarlier,
  sweepLost,
  sweepOverdue,
  sweepExpired,
  sweepPayloads,
  sweepRecords,
  sweepCaptured,
  sweepDrafts,
  sweepPoison,
  sweepUsages,
] as const;

/**
 * Looks for what no message and no caller will bring back: attempts that a caller waited for and whose process died,
 * emails that have waited too long, contents nobody needs any more, and rows whose time is over. What fails for one email
 * is logged and passed. A part that cannot be done at all does not keep the others from being done, but then the sweep
 * fails, and `MailSwept` is missing.
 */
export const sweepMail = async (needs: SweepNeeds): Promise<void> => {
  const counts: Counts = {
    lost: 0,
    overdue: 0,
    payloads: 0,
    records: 0,
    expired: 0,
    failed: 0,
    filed: 0,
    drafts: 0,
    captured: 0,
    unfinished: 0,
  };
  const startedAt = needs.clock.now().getTime();
  const isOver = () => needs.clock.now().getTime() - startedAt >= BUDGET_MS;
  const run: Run = { counts, turn: Math.floor(startedAt / HOUR_MS), isOver };
  const failures: unknown[] = [];
  for (const part of PARTS) {
    await part(needs, run).catch((failure: unknown) => void failures.push(failure));
    if (isOver()) counts.unfinished += 1;
  }
  if (failures.length > 0) throw failures[0];
  needs.log({ event: 'MailSwept', ...counts });
  await needs.heartbeats.note('sweep', needs.clock.now());
};
