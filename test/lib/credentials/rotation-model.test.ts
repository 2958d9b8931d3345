import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fate } from '../../support/stepper.ts';
import { DAY_MS, makeRotationWorld } from './rotation-world.ts';

const ROTATION_DAYS = 30;
const MINUTE_MS = 60_000;
const world = () => makeRotationWorld({ rotationDays: ROTATION_DAYS });
type World = ReturnType<typeof world>;

/** A secret that is old enough to be renewed. */
const dueWorld = (): World => {
  const made = world();
  made.pass(ROTATION_DAYS * DAY_MS);
  return made;
};

/** Runs day after day until nothing is left to do. */
const finish = async (rotation: World): Promise<void> => {
  for (let day = 0; day < 12; day += 1) {
    rotation.pass(DAY_MS);
    await rotation.run();
  }
};

const expectFinished = (rotation: World): void => {
  expect(rotation.broken(), rotation.history()).toEqual([]);
  expect(rotation.state()?.attempt, rotation.history()).toBeUndefined();
  expect(rotation.orphans(), rotation.history()).toEqual([]);
  const { made = [] } = rotation.state() ?? {};
  expect(rotation.working()?.tags['entra-key-id'], rotation.history()).toBe(made.at(-1)?.keyId);
  expect(made.length, rotation.history()).toBe(1);
  // And the one that an administrator made.
  expect(rotation.passwords().length, rotation.history()).toBe(2);
};

/** How many inputs and outputs a renewal has when all goes well. */
const stepsOfRenewal = async (): Promise<number> => {
  const rotation = dueWorld();
  await rotation.start();
  let steps = 0;
  for (; rotation.waiting() > 0; steps += 1) await rotation.take(0, 'answered');
  return steps;
};

const ENDS = ['before', 'after', 'refused', 'lost', 'dropped'] as const;
const STEPS = await stepsOfRenewal();

describe('a renewal that ends between any two of its steps', () => {
  test('has steps to end between', () => {
    expect(STEPS).toBeGreaterThan(10);
  });

  test.each(ENDS)('(%s) is finished by later runs, and a secret works all the time', async (end) => {
    for (let last = 0; last < STEPS; last += 1) {
      const rotation = dueWorld();
      await rotation.start();
      for (let step = 0; step < last; step += 1) await rotation.take(0, 'answered');
      if (end === 'before' || end === 'after') rotation.kill(0, () => end === 'after');
      else {
        await rotation.take(0, end);
        while (rotation.waiting() > 0) await rotation.take(0, 'answered');
      }
      await finish(rotation);
      expectFinished(rotation);
    }
  });

  test('twice is finished all the same, wherever the second run ends', async () => {
    for (let first = 0; first < STEPS; first += 1) {
      for (let second = 0; second < STEPS + 4; second += 1) {
        const rotation = dueWorld();
        for (const last of [first, second]) {
          await rotation.start();
          for (let step = 0; step < last; step += 1) await rotation.take(0, 'answered');
          rotation.kill(0, () => second % 2 === 0);
          rotation.pass(31 * MINUTE_MS);
        }
        await finish(rotation);
        expectFinished(rotation);
      }
    }
  }, 120_000);
});

type Act =
  | { readonly kind: 'start' | 'run'; readonly process: number }
  | { readonly kind: 'step'; readonly one: number; readonly fate: Fate }
  | { readonly kind: 'kill'; readonly process: number; readonly happens: boolean }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'rule'; readonly rule: 'isAllowed' | 'mayAdd' | 'mayStore'; readonly is: boolean }
  | { readonly kind: 'by hand'; readonly days: number }
  | { readonly kind: 'restore'; readonly back: number };

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 20, arbitrary: fc.constant<Fate>('answered') },
  { weight: 1, arbitrary: fc.constant<Fate>('refused') },
  { weight: 2, arbitrary: fc.constant<Fate>('lost') },
  { weight: 1, arbitrary: fc.constant<Fate>('dropped') },
);
const process = fc.nat({ max: 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('step'), one: fc.nat({ max: 3 }), fate }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('start'), process }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run'), process }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill'), process, happens: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass'),
      ms: fc.constantFrom(MINUTE_MS, 31 * MINUTE_MS, DAY_MS, 8 * DAY_MS, 31 * DAY_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rule'),
      rule: fc.constantFrom('isAllowed', 'mayAdd', 'mayStore'),
      is: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('by hand'), days: fc.constantFrom(20, 180) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore'), back: fc.nat({ max: 1 }) }) },
);

const lasts = (rotation: World, ms: number): boolean =>
  (rotation.working()?.expiresOn?.getTime() ?? 0) > rotation.now().getTime() + ms + DAY_MS;

const perform = async (rotation: World, next: Act): Promise<void> => {
  switch (next.kind) {
    case 'step':
      await rotation.take(next.one, next.fate);
      return;
    case 'start':
      return rotation.start(next.process);
    case 'run':
      return rotation.run(next.process);
    case 'kill':
      return rotation.kill(next.process, () => next.happens);
    case 'pass':
      // A secret that expires because no run was possible for weeks is not what is looked for.
      if (lasts(rotation, next.ms)) rotation.pass(next.ms);
      return;
    case 'rule':
      rotation.rules[next.rule] = next.is;
      return;
    case 'by hand': {
      const { value, expiresOn } = rotation.addByHand(
        'by hand',
        new Date(rotation.now().getTime() + next.days * DAY_MS),
      );
      rotation.pass(MINUTE_MS);
      rotation.store(value, expiresOn);
      return;
    }
    case 'restore':
      return rotation.restore(next.back);
  }
};

const RUNS = Number(globalThis.process.env.MODEL_RUNS ?? 300);
const SEED = Number(globalThis.process.env.MODEL_SEED ?? 20_261_126);

test('whatever order two instances, failures and administrators act in, a secret works, and others keep theirs', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 150, size: 'max' }), async (acts) => {
      const rotation = dueWorld();
      const endsOn = rotation.now().getTime() + 120 * DAY_MS;
      for (const next of acts) if (rotation.now().getTime() < endsOn) await perform(rotation, next);
      Object.assign(rotation.rules, { isAllowed: true, mayAdd: true, mayStore: true });
      for (let day = 0; day < ROTATION_DAYS + 12; day += 1) {
        rotation.pass(DAY_MS);
        await rotation.run();
      }
      expect(rotation.broken(), rotation.history()).toEqual([]);
      expect(rotation.orphans(), rotation.history()).toEqual([]);
      expect(rotation.state()?.attempt, rotation.history()).toBeUndefined();
      const { createdOn = new Date(0) } = rotation.working() ?? {};
      expect(rotation.now().getTime() - createdOn.getTime()).toBeLessThanOrEqual(
        (ROTATION_DAYS + 1) * DAY_MS,
      );
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
