import { expect, test } from 'vitest';
import { joinsAt, LONG_STOP_MS, nameOf, planOutages } from './outages.ts';
import { SUITE_RUN } from './plan.ts';
import { TIMES } from './scaled-times.ts';

const ALL_NAMES = [
  'SIGSTOP, SIGCONT after others took over',
  'SIGSTOP, SIGCONT soon',
  'clock ahead by 2.4 s',
  'clock behind by 2.4 s',
  'instance replaced, SIGTERM',
  'instance replaced, drain',
  'kill -9 of the host at any time',
  'kill -9 of the worker at any time',
  'storage frozen for all instances, requests carried out at the end',
  'storage frozen for one instance, requests carried out at the end',
  'storage frozen for one instance, requests carried out meanwhile',
  'storage slow for all instances',
  'storage slow for one instance',
];

test.each([
  [SUITE_RUN.mails, SUITE_RUN.instances, SUITE_RUN.seed],
  [300, 2, 7],
  [10_000, 5, 8],
])('every kind of outage happens to %i emails and %i instances', (mails, instances, seed) => {
  const planned = planOutages(mails, instances, seed);
  expect([...new Set(planned.map(({ outage }) => nameOf(outage)))].sort()).toEqual(ALL_NAMES);
});

test('an outage hits an instance that has started, in the order of the emails, and leaves an end without any', () => {
  const [mails, instances] = [3000, 5];
  const planned = planOutages(mails, instances, 3);
  const at = planned.map(({ atMail }) => atMail);
  expect(at).toEqual(at.toSorted((one, other) => one - other));
  expect(at.at(-1)).toBeLessThan(mails * 0.95);
  for (const { atMail, outage } of planned)
    if (outage.instance !== 'all')
      expect(joinsAt(outage.instance, mails, instances)).toBeLessThanOrEqual(atMail);
  expect(new Set(planned.map(({ outage }) => outage.instance))).toEqual(new Set([0, 1, 2, 3, 4, 'all']));
});

test('outages are the same for the same seed, and others for another', () => {
  expect(planOutages(500, 3, 7)).toEqual(planOutages(500, 3, 7));
  expect(planOutages(500, 3, 7)).not.toEqual(planOutages(500, 3, 8));
});

test('a process that is stopped for long goes on after others gave up its attempt, looked, and sent', () => {
  expect(LONG_STOP_MS).toBeGreaterThan((TIMES.sendingLimit.run + TIMES.verify.run) * 1000);
});

test('the times of a run keep the order that the relay relies on', () => {
  const { functionTimeout, sendingLimit, lease, verify, clock, graphTimeout } = TIMES;
  for (const of of ['azure', 'run'] as const) {
    const token = Math.min(15, 3 * graphTimeout[of]);
    expect(2 * (token + graphTimeout[of])).toBeLessThan(functionTimeout[of]);
    expect(functionTimeout[of]).toBeLessThan(sendingLimit[of]);
    expect(clock[of]).toBeLessThanOrEqual(sendingLimit[of] - functionTimeout[of]);
    expect(2 * clock[of]).toBeLessThan(verify[of]);
    expect(functionTimeout[of]).toBeLessThan(lease[of]);
  }
});
