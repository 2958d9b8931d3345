import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOOK_UPS, lookUpWaitMs } from '../../../src/lib/mail/look-up-plan.ts';
import { decideWait } from '../../../src/lib/mail/wait.ts';

const DAY_MS = 86_400_000;

describe('how long a mail waits', () => {
  test.each([
    [1, undefined, 0, 5000],
    [2, undefined, 0, 15_000],
    [6, undefined, 0, 600_000],
    [99, undefined, 0, 600_000],
    [1, undefined, 1, 6000],
    [9, 2500, 0, 2500],
    [1, 60_000, 1, 72_000],
    [1, 0, 1, 0],
    [1, 10 * DAY_MS, 0, DAY_MS],
  ])('after attempt %i, asked for %s, by chance %s: %i ms', (attempts, asked, random, expected) => {
    expect(decideWait(attempts, asked, random)).toBe(expected);
  });

  test('is never shorter than Graph asked for, short of a day', () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(DAY_MS), random, (attempts, asked, chance) => {
        const wait = decideWait(attempts, asked, chance);
        expect(wait).toBeGreaterThanOrEqual(asked);
        expect(wait).toBeLessThanOrEqual(DAY_MS);
      }),
    );
  });
});

test('look-ups begin soon, and the last is at the end of the time given', () => {
  const waits = Array.from({ length: LOOK_UPS }, (_, index) => lookUpWaitMs(index, 900_000));
  expect(waits[0]).toBe(18_000);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(900_000);
});
