import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstFit, type Rule } from '../../../src/lib/sending/first-fit.ts';

const ascending = (times: readonly number[]) => times.toSorted((one, other) => one - other);

/** The most of these times within one window, of all windows that begin with one of them. */
const mostWithin = (times: readonly number[], windowMs: number): number =>
  Math.max(...times.map((first) => times.filter((at) => at >= first && at < first + windowMs).length));

/** By the rule's own words: one more makes no window around it too full. */
const isKept = ({ times, most, windowMs }: Rule, at: number): boolean => {
  const around = ascending([...times.filter((time) => Math.abs(time - at) < windowMs), at]);
  return around.every((first, place) => {
    const within = around.slice(place).filter((time) => time < first + windowMs);
    return !within.includes(at) || within.length <= most;
  });
};

const rule = fc.record({
  times: fc.array(fc.nat(60), { maxLength: 25 }).map(ascending),
  most: fc.nat(4),
  windowMs: fc.integer({ min: 1, max: 15 }),
});

test('the first fit is the first time at which every rule is kept, as trying each time one after another finds it', () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), fc.nat(50), (rules, from) => {
      const tried = Array.from({ length: 100 - from + 1 }, (_, index) => from + index).find((at) =>
        rules.every((one) => isKept(one, at)),
      );
      expect(firstFit(from, () => rules, 100, [])).toBe(tried);
    }),
    { numRuns: 500 },
  );
});

test('where a rule becomes wider at a step, the first fit is after it only if there is none before', () => {
  fc.assert(
    fc.property(rule, fc.nat(50), fc.nat(80), (narrow, from, step) => {
      const rulesAt = (at: number) => [at >= step ? { ...narrow, most: narrow.most + 2 } : narrow];
      const tried = Array.from({ length: 100 - from + 1 }, (_, index) => from + index).find((at) =>
        rulesAt(at).every((one) => isKept(one, at)),
      );
      expect(firstFit(from, rulesAt, 100, [step])).toBe(tried);
    }),
    { numRuns: 500 },
  );
});

test('a mailbox filled with its own fits has as many in each window as the rule allows, and never more', () => {
  let times: readonly number[] = [];
  for (let count = 0; count < 200; count += 1)
    times = [...times, firstFit(0, () => [{ times, most: 7, windowMs: 60 }], 10_000, []) ?? Number.NaN];
  expect(mostWithin(times, 60)).toBe(7);
  expect(times.at(-1)).toBe(28 * 60);
});

test('each time is looked at a few times, however many times and rules there are', () => {
  let looks = 0;
  const counted = (length: number) =>
    new Proxy(
      Array.from({ length }, (_, index) => index * 2),
      {
        get: (target, key, receiver) => {
          if (key !== 'length') looks += 1;
          return Reflect.get(target, key, receiver);
        },
      },
    );
  const rules = [
    { times: counted(20_000), most: 30, windowMs: 62 },
    { times: counted(20_000), most: 4, windowMs: 10 },
  ];
  expect(firstFit(0, () => rules, Number.POSITIVE_INFINITY, [])).toBeGreaterThan(39_000);
  expect(looks).toBeLessThan(2 * 2 * 20_000 + 100);
});
