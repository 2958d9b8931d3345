import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { makeAppFolder } from '../support/cloud-for-tests.ts';
import { brokenPromises, type MailStory } from '../support/mail-promises.ts';
import { type Copies, openBooks } from './books.ts';
import { type GivenMail, makeCallers, uploadLargeFile } from './callers.ts';
import { CHAOS_FUNCTION_TIMEOUT, startChaosCloud } from './chaos-cloud.ts';
import { clearDesk } from './desk.ts';
import { makeFleet } from './fleet.ts';
import { arm, countTroubles, disarm } from './lay-troubles.ts';
import { type PlannedMail, planRun } from './plan.ts';
import { makeRandom } from './random.ts';
import { tellStories } from './stories.ts';
import { sweepLater } from './sweep-later.ts';
import { makeTimeline } from './timeline.ts';
import { makeTroubles } from './troubles.ts';

export type ChaosOptions = { readonly mails: number; readonly seed: number };

export type ChaosReport = {
  /** Promises that were broken, each with the timeline of its mail. */
  readonly broken: readonly string[];
  readonly stories: readonly MailStory[];
  /** How many mails Graph got otherwise than they were written. */
  readonly damaged: number;
  readonly given: readonly GivenMail[];
  /** How often which trouble struck. */
  readonly troubles: ReadonlyMap<string, number>;
  readonly starts: number;
  /** How many mails Graph accepted in which form. */
  readonly forms: ReadonlyMap<string, number>;
  /** How many mails a person had sent in the end. */
  readonly replayed: number;
  readonly seconds: number;
};

/** A second instance joins after this part of the mails. */
const ALONE_UNTIL = 0.4;
/** From here on no mail that goes as MIME is found again. */
const HEADERS_KEPT_UNTIL = 0.7;
/** Applications do not give all their mails at once. */
const BETWEEN_MAILS_MS = 50;
const MOST_AT_ONCE = 40;
/**
 * How long mails may take to their ends once all were given: several back-offs of a minute, each of which a busy machine
 * makes longer. A run goes on as soon as nothing is on its way.
 */
const SETTLE_MS = 480_000;

type Broken = { readonly mailId: string; readonly promise: string };

/** Gives the mails to the relay, one after the other and not waiting for each, and waits until it has them all. */
const giveAll = async (
  plans: readonly PlannedMail[],
  give: (plan: PlannedMail) => Promise<GivenMail>,
): Promise<readonly GivenMail[]> => {
  const giving: Promise<GivenMail>[] = [];
  const underWay = new Set<Promise<unknown>>();
  for (const plan of plans) {
    const one = give(plan);
    giving.push(one);
    const tracked = one.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    await wait(BETWEEN_MAILS_MS);
    if (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay);
  }
  return Promise.all(giving);
};

/** Sends mails through the relay while things fail and die around it, and tells which promises were broken. */
export const runChaos = async ({ mails, seed }: ChaosOptions): Promise<ChaosReport> => {
  const startedAt = Date.now();
  const plans = planRun(mails, seed);
  const timeline = makeTimeline(startedAt);
  const troubles = makeTroubles(timeline.note);
  const cloud = await startChaosCloud(mails);
  const { connectionString } = cloud.azurite;
  const appFolder = await makeAppFolder(cloud.folder, { functionTimeout: CHAOS_FUNCTION_TIMEOUT });
  const fleet = makeFleet({ cloud, appFolder, timeline, troubles, random: makeRandom(seed) });
  const books = openBooks(connectionString, cloud.mails);

  /** Until nothing is on its way; twice in a row, as a message can be put back between two looks. */
  const settled = async (until: number): Promise<void> => {
    for (let quiet = 0; quiet < 2 && Date.now() < until; ) {
      quiet = (await books.messages()) + (await books.open()) === 0 ? quiet + 1 : 0;
      await wait(Math.max(300, mails / 5));
    }
  };

  try {
    await uploadLargeFile(connectionString);
    await fleet.launch('A');
    const call = makeCallers(connectionString, fleet.anyUrl, timeline.note);
    const given = await giveAll(plans, async (plan) => {
      // Exchange may keep a header of MIME, by which the mail is found again, or lose it.
      if (plan.number === Math.floor(mails * HEADERS_KEPT_UNTIL))
        cloud.graph.settings.change({ mimeHeadersAreProperties: false });
      if (plan.number === Math.floor(mails * ALONE_UNTIL)) await fleet.launch('B');
      arm(cloud, troubles, plan);
      return call(plan, Date.now() + SETTLE_MS);
    });
    await settled(Date.now() + SETTLE_MS);

    const [rows, copies] = [await books.rows(), await books.copies()];
    const evidence = { rows, copies, doubted: fleet.doubted, record: books.record };
    const stories = await tellStories(given, evidence);
    const broken: Broken[] = stories.flatMap((story) =>
      brokenPromises(story).map((promise) => ({ mailId: story.mailId, promise })),
    );
    const struck = countTroubles(cloud, troubles, plans);

    // What was held is looked after by a person, and the sweep comes by; then nothing is left.
    disarm(cloud, troubles);
    const replayed = await clearDesk(fleet.anyUrl, rows, copies);
    await settled(Date.now() + SETTLE_MS);
    broken.push(...brokenReplays(replayed, await books.rows(), await books.copies()));
    const damaged = await books.damaged(given.map(({ content }) => content));
    const messages = await books.messages();
    await sweepLater(connectionString);
    const payloads = await books.payloads();

    return {
      broken: [
        ...broken.map(({ mailId, promise }) =>
          [`${mailId}: ${promise}`, ...timeline.of(mailId)].join('\n    '),
        ),
        ...damaged.map((subject) => `${subject}: Graph got something other than its application wrote`),
        ...(messages > 0 ? [`${messages} messages are left on the queues`] : []),
        ...payloads.map((name) => `the payload ${name} is left over`),
      ],
      stories,
      damaged: damaged.length,
      given,
      troubles: struck,
      starts: fleet.starts(),
      forms: await books.forms(),
      replayed: replayed.length,
      seconds: (Date.now() - startedAt) / 1000,
    };
  } finally {
    await fleet.stop();
    await cloud.close();
  }
};

const brokenReplays = (
  replayed: readonly string[],
  rows: readonly LedgerRow[],
  copies: ReadonlyMap<string, Copies>,
): readonly Broken[] => {
  const states = new Map(rows.map(({ facts, fate }) => [facts.mailId, fate.state]));
  return replayed.flatMap((mailId) => {
    const times = copies.get(mailId)?.count ?? 0;
    if (states.get(mailId) === 'sent' && times === 1) return [];
    return [{ mailId, promise: `after a replay it is ${states.get(mailId)}, and was sent ${times} times` }];
  });
};
