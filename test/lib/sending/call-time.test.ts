import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIRST_CALL_MS, usualCallMs } from '../../../src/lib/sending/call-time.ts';

/** The same numbers in each run, from 0 to 1. */
const someNumbers = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => ((index * 7919) % 1000) / 1000);

describe('the time that a request usually takes', () => {
  test('is near to what nine of ten requests do not exceed', () => {
    const ms = usualCallMs(
      FIRST_CALL_MS,
      someNumbers(2000).map((part) => 1000 + 1000 * part),
    );
    expect(ms).toBeGreaterThan(1650);
    expect(ms).toBeLessThan(2400);
  });

  test('hardly changes for one request that hangs', () => {
    expect(usualCallMs(500, [60_000])).toBeLessThanOrEqual(625);
    expect(usualCallMs(500, [60_000, ...Array<number>(10).fill(400)])).toBeLessThanOrEqual(500);
  });

  test('follows within twenty requests where all have become slow', () => {
    expect(usualCallMs(500, Array<number>(20).fill(30_000))).toBeGreaterThanOrEqual(30_000);
  });

  test('is never below a quarter of a second nor above a minute, whatever clocks say', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1e6, max: 1e9 })), (calls) => {
        const ms = usualCallMs(FIRST_CALL_MS, calls);
        expect(ms).toBeGreaterThanOrEqual(250);
        expect(ms).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
