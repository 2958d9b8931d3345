import { expect, test } from 'vitest';
import { decideLimitWait, mostLimitWaitMs } from '../../../src/lib/callers/limit-wait.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIDNIGHT = new Date('2026-03-03T00:00:00Z');
const before = (ms: number) => new Date(MIDNIGHT.getTime() - ms);

const wait = (toMidnightMs: number, random: number, waitedMs = 0) =>
  decideLimitWait(
    { now: before(toMidnightMs), resetsAt: MIDNIGHT, waitsSince: before(toMidnightMs + waitedMs) },
    random,
  );

test.each([
  ['far from midnight, within an hour, as the limit can be raised', 10 * HOUR_MS, 0, 45 * MINUTE_MS],
  ['and at most an hour', 10 * HOUR_MS, 1, HOUR_MS],
  ['near midnight, shortly after it', 5 * MINUTE_MS, 0.5, 10 * MINUTE_MS],
  ['at midnight exactly, not again in a moment', 0, 0.5, 5 * MINUTE_MS],
])('an email over the limit looks again %s', (_when, toMidnight, random, expected) => {
  expect(wait(toMidnight, random)).toBe(expected);
});

test('after midnight ten thousand emails are spread over ten minutes, and those come first that have waited longest', () => {
  const waits = Array.from({ length: 10_000 }, (_, index) => wait(MINUTE_MS, index / 10_000) - MINUTE_MS);
  const perSecond = Map.groupBy(waits, (ms) => Math.floor(ms / 1000));
  expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThanOrEqual(17);
  expect(wait(MINUTE_MS, 1, 2 * DAY_MS) - MINUTE_MS).toBe((10 * MINUTE_MS) / 3);
});

test('after five days it is held, or earlier where the ledger forgets earlier', () => {
  expect([
    mostLimitWaitMs({ ledgerDays: 90, giveUpAfterMs: DAY_MS }),
    mostLimitWaitMs({ ledgerDays: 3, giveUpAfterMs: DAY_MS }),
    mostLimitWaitMs({ ledgerDays: 2, giveUpAfterMs: DAY_MS }),
  ]).toEqual([5 * DAY_MS, 2 * DAY_MS, DAY_MS]);
});
