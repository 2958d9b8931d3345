import fc from 'fast-check';
import { expect, test } from 'vitest';
import { catalogue } from '../../../src/lib/error-catalogue.ts';
import { asRulesOfNow, loadLastRules, type Rules } from '../../support/last-release.ts';
import { brokenPromises, type MailStory } from '../../support/mail-promises.ts';
import * as rulesOfNow from '../../support/rules-of-release.ts';
import { act, options } from './any-walk.ts';
import { makeSimulation } from './simulation.ts';

const last = asRulesOfNow(loadLastRules());

const RUNS = Number(globalThis.process.env.MODEL_RUNS ?? 50);
const SEED = Number(globalThis.process.env.MODEL_SEED ?? 20_261_126);

/** Every email of the model is good: only a version that does not know what the other wrote would hold it for what it says. */
const misunderstood = ({ mailId, row }: MailStory): readonly string[] =>
  row?.fate.state === 'held' && catalogue[row.fate.reason.code].fixedBy === 'caller'
    ? [`${mailId}: it is held as ${row.fate.reason.code}, which says that the email is wrong`]
    : [];

const expectKept = (simulation: ReturnType<typeof makeSimulation>): void => {
  const stories = simulation.stories();
  const broken = stories.flatMap((story) => [
    ...brokenPromises(story).map((promise) => `${story.mailId}: ${promise}`),
    ...misunderstood(story),
  ]);
  expect([...broken, ...simulation.problems()], simulation.history()).toEqual([]);
};

type Versions = {
  readonly rulesOf: (process: number, starts: number, isReplaced: boolean) => Rules;
};

/** Walks at random; at the end of each the platform replaces both processes, whatever they are at. */
const walk = ({ rulesOf }: Versions): Promise<void> =>
  fc.assert(
    fc.asyncProperty(options, fc.array(act, { maxLength: 120, size: 'max' }), async (given, acts) => {
      let isReplaced = false;
      const simulation = makeSimulation({
        ...given,
        rulesOf: (process, starts) => rulesOf(process, starts, isReplaced),
      });
      for (const next of acts) await simulation.perform(next);
      for (const process of [0, 1]) await simulation.perform({ kind: 'kill', process, happens: 255 });
      isReplaced = true;
      await simulation.finish();
      expectKept(simulation);
    }),
    { numRuns: RUNS, seed: SEED },
  );

const LONG = { timeout: 600_000 };

test('beside an instance of the last release, every email ends as promised', LONG, () =>
  walk({ rulesOf: (process) => (process === 0 ? last : rulesOfNow) }),
);

test(
  'in whatever order instances are replaced by the other version, every email ends as promised',
  LONG,
  () => walk({ rulesOf: (process, starts) => ((process + starts) % 2 === 0 ? last : rulesOfNow) }),
);

test('after a deployment the new version finishes what the last release has begun', LONG, () =>
  walk({ rulesOf: (_process, _starts, isReplaced) => (isReplaced ? rulesOfNow : last) }),
);

test('after going back the last release finishes what the new version has begun', LONG, () =>
  walk({ rulesOf: (_process, _starts, isReplaced) => (isReplaced ? last : rulesOfNow) }),
);
