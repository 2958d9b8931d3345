import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeStorageClock, type StorageClock } from '../../../src/lib/sending/storage-clock.ts';

const START = Date.parse('2026-03-02T08:00:00Z');

/** One request: how long it goes there and back, and how exactly storage says its time. */
const anyExchange = fc.record({
  afterMs: fc.nat(60_000),
  thereMs: fc.nat(3000),
  backMs: fc.nat(3000),
  precisionMs: fc.constantFrom(1, 1000),
});
type Exchange = typeof anyExchange extends fc.Arbitrary<infer One> ? One : never;

/** Plays exchanges with storage by a clock that is wrong by so much; gives the true time and how wrong the clock is afterwards. */
const play = (clock: StorageClock, exchanges: readonly Exchange[], wrongBy: number, start = START) => {
  let time = start;
  for (const { afterMs, thereMs, backMs, precisionMs } of exchanges) {
    const before = time + afterMs;
    const there = before + thereMs;
    time = there + backMs;
    const at = new Date(Math.floor(there / precisionMs) * precisionMs);
    clock.learn(new Date(before + wrongBy), { at, precisionMs }, new Date(time + wrongBy));
  }
  return { time, error: clock.now(new Date(time + wrongBy)) - time };
};

const anyWrong = fc.integer({ min: -90_000, max: 90_000 });
const exchanges = fc.array(anyExchange, { minLength: 1, maxLength: 20 });

test('after one exchange the time of storage is known to the length of the exchange and its precision', () => {
  fc.assert(
    fc.property(exchanges, anyWrong, (all, wrongBy) => {
      const { error } = play(makeStorageClock(), all, wrongBy);
      const { thereMs, backMs, precisionMs } = all.at(-1) as Exchange;
      expect(Math.abs(error)).toBeLessThanOrEqual(thereMs + backMs + precisionMs);
    }),
  );
});

test('a clock that is right is believed, whatever the way to storage is like', () => {
  fc.assert(
    fc.property(exchanges, (all) => {
      expect(play(makeStorageClock(), all, 0).error).toBe(0);
    }),
  );
});

test('a clock that can be right is believed until storage says otherwise', () => {
  const clock = makeStorageClock();
  expect(clock.now(new Date(START))).toBe(START);
  clock.learn(new Date(START + 100), { at: new Date(START), precisionMs: 1000 }, new Date(START + 150));
  expect(clock.now(new Date(START + 200))).toBe(START + 200);
});

test('it becomes more exact with every exchange that says more, and a worse one spoils little', () => {
  const clock = makeStorageClock();
  const exact = { afterMs: 100, thereMs: 2, backMs: 2, precisionMs: 1 } as const;
  play(clock, [exact], 5000);
  const { error } = play(clock, [{ afterMs: 100, thereMs: 1500, backMs: 900, precisionMs: 1000 }], 5000);
  expect(Math.abs(error)).toBeLessThanOrEqual(6);
});

test('a clock that is set by up to a minute and a half is followed after the next exchange', () => {
  fc.assert(
    fc.property(exchanges, exchanges, anyWrong, anyWrong, (earlier, later, before, after) => {
      const clock = makeStorageClock();
      const { time } = play(clock, earlier, before);
      const { error } = play(clock, later.slice(0, 1), after, time);
      const { thereMs, backMs, precisionMs } = later[0] as Exchange;
      expect(Math.abs(error)).toBeLessThanOrEqual(thereMs + backMs + precisionMs);
    }),
  );
});
