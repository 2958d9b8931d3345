import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addRun,
  bookedFromEnd,
  bookedWithin,
  countAfter,
  cutAt,
  isIn,
  lastBooked,
  type Run,
  withoutBooked,
} from '../../../src/lib/sending/booked-runs.ts';

/** Starts in their order, some of them at the same time, and the runs that hold them. */
const anyStarts = () =>
  fc
    .array(fc.constantFrom(0, 0, 16, 16, 16, 2480, 2480, 70_000), { minLength: 1, maxLength: 40 })
    .map((steps) => {
      let at = 0;
      const starts = steps.map((step) => {
        at += step;
        return at;
      });
      return { starts, runs: starts.reduce<readonly Run[]>(addRun, []) };
    });
const anyTime = fc.integer({ min: -50, max: 200_000 }).map((time) => time * 2);
const all = (runs: readonly Run[]) => bookedWithin(runs, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

describe('runs of booked starts are as the list of these starts', () => {
  test('when they are added, and looked at between two times', () => {
    fc.assert(
      fc.property(anyStarts(), anyTime, anyTime, ({ starts, runs }, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(all(runs)).toEqual(starts);
        expect(bookedWithin(runs, from, to)).toEqual(starts.filter((at) => at >= from && at <= to));
      }),
    );
  });

  test('when they are counted, and when the last ones are asked for', () => {
    fc.assert(
      fc.property(anyStarts(), anyTime, fc.integer({ min: 1, max: 50 }), ({ starts, runs }, time, place) => {
        expect(countAfter(runs, time)).toBe(starts.filter((at) => at > time).length);
        expect(lastBooked(runs)).toBe(starts.at(-1));
        expect(bookedFromEnd(runs, place)).toBe(starts.at(-place) ?? Number.NEGATIVE_INFINITY);
        expect(runs.some((run) => isIn(run, time))).toBe(starts.includes(time));
      }),
    );
  });

  test('when they are cut in two, and when some are taken out', () => {
    fc.assert(
      fc.property(anyStarts(), anyTime, fc.nat({ max: 39 }), ({ starts, runs }, time, which) => {
        expect(cutAt(runs, time).map(all)).toEqual([
          starts.filter((at) => at <= time),
          starts.filter((at) => at > time),
        ]);
        const gone = starts[which % starts.length] ?? 0;
        expect(all(withoutBooked(runs, [gone]))).toEqual(starts.toSpliced(starts.indexOf(gone), 1));
      }),
    );
  });
});
