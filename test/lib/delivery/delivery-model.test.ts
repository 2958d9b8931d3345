import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokenPromises } from '../../support/mail-promises.ts';
import type { Fate } from '../../support/stepper.ts';
import { act, MINUTE_MS, mail, one, options, process } from './any-walk.ts';
import { type Act, makeSimulation } from './simulation.ts';

const RUNS = Number(globalThis.process.env.MODEL_RUNS ?? 400);
/** The same walks every time, so that a change is what makes a difference; MODEL_SEED takes others. */
const SEED = Number(globalThis.process.env.MODEL_SEED ?? 20_261_122);

test('whatever order things happen and fail in, every mail ends as promised', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(options, fc.array(act, { maxLength: 120, size: 'max' }), async (given, acts) => {
      const simulation = makeSimulation(given);
      for (const next of acts) await simulation.perform(next);
      await simulation.finish();
      const broken = simulation
        .stories()
        .flatMap((story) => brokenPromises(story).map((promise) => `${story.mailId}: ${promise}`));
      expect([...broken, ...simulation.problems()], simulation.history()).toEqual([]);
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

test('no caller sends more in a day than its limit, and no mail is lost or sent twice for it', {
  timeout: 600_000,
}, async () => {
  const limited = fc.record({ given: options, mailsPerDay: fc.constantFrom(1, 2, 5) });
  await fc.assert(
    fc.asyncProperty(limited, fc.array(act, { maxLength: 120, size: 'max' }), async (limit, acts) => {
      const simulation = makeSimulation({ ...limit.given, mailsPerDay: limit.mailsPerDay });
      for (const next of acts) await simulation.perform(next);
      await simulation.finish();
      const broken = simulation
        .stories()
        .flatMap((story) => brokenPromises(story).map((promise) => `${story.mailId}: ${promise}`));
      expect([...broken, ...simulation.problems()], simulation.history()).toEqual([]);
    }),
    { numRuns: RUNS / 2, seed: SEED },
  );
});

/** Mostly drafts whose sending is accepted and answered otherwise, which the walks above seldom come to. */
const busyGraph: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('step'),
      one,
      fate: fc.oneof(
        { weight: 5, arbitrary: fc.constant<Fate>('answered') },
        { weight: 2, arbitrary: fc.constant<Fate>('lost') },
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver'), process }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('put'), ...mail, key: fc.constant(null) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constant(20_000), happens: fc.constant(0) }),
  },
);

test('no draft is sent twice by a Graph that accepts it and says that it is busy', {
  timeout: 600_000,
}, async () => {
  const slow = {
    perMinute: 30,
    leaseMs: MINUTE_MS,
    deliveries: ['exact', 'exact'],
    sentItemsDelayMs: MINUTE_MS,
  } as const;
  await fc.assert(
    fc.asyncProperty(fc.array(busyGraph, { minLength: 60, maxLength: 120 }), async (acts) => {
      const simulation = makeSimulation(slow);
      for (const next of acts) await simulation.perform(next);
      await simulation.finish();
      const broken = simulation.stories().flatMap((story) => brokenPromises(story));
      expect([...broken, ...simulation.problems()], simulation.history()).toEqual([]);
    }),
    { numRuns: RUNS / 4, seed: SEED },
  );
});

/** Emails that wait for their time and are moved, by processes that end in between: the walks above have few of them. */
const moves: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      kind: fc.constant('step'),
      one,
      fate: fc.oneof(
        { weight: 12, arbitrary: fc.constant<Fate>('answered') },
        { weight: 1, arbitrary: fc.constant<Fate>('lost') },
      ),
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('deliver'), process }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('reschedule'),
      process,
      one,
      laterMs: fc.constantFrom(0, 5000, MINUTE_MS, 20 * MINUTE_MS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill'), process, happens: fc.nat({ max: 255 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(5000, MINUTE_MS),
      happens: fc.constant(0),
    }),
  },
);

const ONE_LATER: Act = {
  ...{ kind: 'post', policy: 'verify', large: false, respondAsync: true },
  ...{ laterMs: MINUTE_MS, process: 0 },
};
const ANSWERED: Act = { kind: 'step', one: 0, fate: 'answered' };

test('an email that is moved while processes end is sent once, and not before its time', {
  timeout: 600_000,
}, async () => {
  const given = {
    ...{ perMinute: 30, leaseMs: MINUTE_MS, sentItemsDelayMs: 0 },
    deliveries: ['standard', 'standard'],
  } as const;
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 60, maxLength: 200 }), async (acts) => {
      const simulation = makeSimulation(given);
      await simulation.perform(ONE_LATER);
      for (let step = 0; step < 10; step += 1) await simulation.perform(ANSWERED);
      for (const next of acts) await simulation.perform(next);
      await simulation.finish();
      const broken = simulation.stories().flatMap((story) => brokenPromises(story));
      expect([...broken, ...simulation.problems()], simulation.history()).toEqual([]);
    }),
    { numRuns: RUNS / 4, seed: SEED },
  );
});
