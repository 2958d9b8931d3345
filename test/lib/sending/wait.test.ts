import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closedMailboxWaitMs, LOOK_UPS, lookUpWaitMs } from '../../../src/lib/sending/look-up-plan.ts';
import { decideGivingUp, decidePause, decideWait } from '../../../src/lib/sending/wait.ts';

const HOUR_MS = 3_600_000;
const chance = fc.double({ min: 0, max: 1, noNaN: true });
const asked = fc.option(fc.oneof(fc.nat(10_000), fc.nat(2 * HOUR_MS), fc.nat()), { nil: undefined });

describe('how long a mail waits', () => {
  test.each([
    [1, undefined, 0, 5000],
    [2, undefined, 0, 15_000],
    [6, undefined, 0, 600_000],
    [99, undefined, 0, 600_000],
    [1, undefined, 1, 6000],
    [1, 60_000, 1, 72_000],
    // Retry-After of 0, or in the past, and one that is shorter than our own back-off
    [1, 0, 0, 5000],
    [3, 0, 1, 72_000],
    [9, 2500, 0, 600_000],
    // Retry-After: 86400000
    [1, 86_400_000_000, 0, HOUR_MS],
    [1, 86_400_000_000, 1, HOUR_MS],
  ])('after attempt %i, asked for %s, by chance %s: %i ms', (attempts, askedMs, random, expected) => {
    expect(decideWait(attempts, askedMs, random)).toBe(expected);
  });

  test('never sooner than our own back-off, never sooner than asked short of an hour, never longer than that', () => {
    fc.assert(
      fc.property(fc.nat(1000), asked, chance, (attempts, askedMs, random) => {
        const wait = decideWait(attempts, askedMs, random);
        expect(wait).toBeGreaterThanOrEqual(decideWait(attempts, undefined, 0));
        expect(wait).toBeGreaterThanOrEqual(Math.min(askedMs ?? 0, HOUR_MS));
        expect(wait).toBeLessThanOrEqual(HOUR_MS);
      }),
    );
  });

  test('whatever is asked, thirty attempts take hours, not seconds', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 30, maxLength: 30 }), chance, (answers, random) => {
        const waits = answers.map((askedMs, index) => decideWait(index + 1, askedMs, random));
        expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(4 * HOUR_MS);
      }),
    );
  });
});

test('a mailbox is closed for as long as Graph asks, from a second to an hour', () => {
  fc.assert(
    fc.property(asked, chance, (askedMs, random) => {
      const pause = decidePause(askedMs, random);
      expect(pause).toBeGreaterThanOrEqual(Math.min(askedMs ?? 0, HOUR_MS));
      expect(pause).toBeGreaterThanOrEqual(1000);
      expect(pause).toBeLessThanOrEqual(HOUR_MS);
    }),
  );
});

describe('when a mail is given up', () => {
  test.each([
    ['its next attempt is within its time', 2, 100, 100, false],
    ['its next attempt would come after its time', 2, 101, 100, true],
    ['it was held up until its time was over, and this was the first attempt', 1, 101, 100, false],
  ])('%s', (_case, attempts, nextAttemptAt, givesUpAt, expected) => {
    expect(decideGivingUp({ attempts, nextAttemptAt, givesUpAt })).toBe(expected);
  });
});

test('look-ups begin soon, and the last is at the end of the time given', () => {
  const waits = Array.from({ length: LOOK_UPS }, (_, index) => lookUpWaitMs(index, 900_000));
  expect(waits[0]).toBe(18_000);
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(900_000);
});

test('a mailbox that cannot be read for a day is asked less than two hundred times, not every five seconds', () => {
  let elapsed = 0;
  let asked = 0;
  while (elapsed < 24 * HOUR_MS) {
    elapsed += decideWait(1, closedMailboxWaitMs(elapsed), 0);
    asked += 1;
  }
  expect(asked).toBeLessThan(200);
});
