import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { brokenPromises, type MailStory } from '../support/mail-promises.ts';
import { type Copies, openBooks } from './books.ts';
import { type GivenMail, makeCallers, uploadLargeFile } from './callers.ts';
import { makeApps, startChaosCloud } from './chaos-cloud.ts';
import { dailyLimit, declareCallers, LIMITED } from './declared-callers.ts';
import { clearDesk } from './desk.ts';
import { makeFleet } from './fleet.ts';
import { arm, countLimited, countTroubles, disarm } from './lay-troubles.ts';
import { joinsAt, planOutages } from './outages.ts';
import { type PlannedMail, planRun } from './plan.ts';
import { makeRandom } from './random.ts';
import { TIMES } from './scaled-times.ts';
import { tellStories } from './stories.ts';
import { sweepLater } from './sweep-later.ts';
import { makeTimeline } from './timeline.ts';
import { makeTroubles } from './troubles.ts';

export type ChaosOptions = {
  readonly mails: number;
  readonly seed: number;
  readonly instances: number;
  /** Gives no more mails after this time, however many are left. */
  readonly minutes?: number;
  /** Called now and then with how far it has come. */
  readonly tell?: (progress: string) => void;
  /** Every line that a host writes. */
  readonly log?: (line: string) => void;
};

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
  /** How many requests to send reached Graph, and how many of them it refused because their mailbox had no room. */
  readonly limits: { readonly requests: number; readonly refused: number };
  readonly seconds: number;
};

/** From here on no mail that goes as MIME is found again. */
const HEADERS_KEPT_UNTIL = 0.7;
/** Applications do not give all their mails at once: so much between two of them, and so many at a time, for each instance. */
const BETWEEN_MAILS_MS = 100;
const MOST_AT_ONCE = 20;
/**
 * How long mails may take to their ends once all were given: several back-offs of a minute, each of which a busy machine
 * makes longer. A run goes on as soon as nothing is on its way.
 */
const SETTLE_MS = 480_000;
/** Of many mails some have several troubles, one after another, and back off for longer. */
const SETTLE_FOR_EACH_MS = 360;
const TELL_EVERY_MAILS = 500;
/** Azurite sorts all messages of a queue for each that it takes: with thousands of them, the run would show only that. */
const MOST_MESSAGES = 700;

/** With a second for a request to Graph, a busy machine leaves some replays in doubt: they are held, and looked at again. */
const MOST_ROUNDS = 5;

type Broken = { readonly mailId: string; readonly promise: string };

/** Gives the mails to the relay, one after the other and not waiting for each, and waits until it has them all. */
const giveAll = async (
  plans: readonly PlannedMail[],
  give: (plan: PlannedMail) => Promise<GivenMail>,
  {
    instances,
    until,
    hasRoom,
  }: { readonly instances: number; readonly until: number; readonly hasRoom: () => Promise<void> },
): Promise<readonly GivenMail[]> => {
  const giving: Promise<GivenMail>[] = [];
  const underWay = new Set<Promise<unknown>>();
  for (const plan of plans) {
    if (Date.now() >= until) break;
    if (plan.number % MOST_AT_ONCE === 0) await hasRoom();
    const one = give(plan);
    giving.push(one);
    const tracked = one.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    await wait(BETWEEN_MAILS_MS / instances);
    if (underWay.size >= MOST_AT_ONCE * instances) await Promise.race(underWay);
  }
  return Promise.all(giving);
};

/** Sends mails through the relay while things fail and die around it, and tells which promises were broken. */
export const runChaos = async (options: ChaosOptions): Promise<ChaosReport> => {
  const { mails, seed, instances, tell = () => undefined, log = () => undefined } = options;
  const startedAt = Date.now();
  const plans = planRun(mails, seed);
  const settleMs = Math.max(SETTLE_MS, mails * SETTLE_FOR_EACH_MS);
  const outages = [...planOutages(mails, instances, seed)];
  const timeline = makeTimeline(startedAt);
  const troubles = makeTroubles(timeline.note);
  const cloud = await startChaosCloud(mails);
  const { connectionString } = cloud.azurite;
  const apps = await makeApps(cloud.folder);
  const fleet = makeFleet({ cloud, apps, timeline, troubles, random: makeRandom(seed), log });
  const books = openBooks(connectionString, cloud.mails);

  /** Until nothing is on its way; twice in a row, as a message can be put back between two looks. */
  const settled = async (until: number): Promise<void> => {
    for (let quiet = 0; quiet < 2 && Date.now() < until; ) {
      const [messages, open] = [await books.messages(), await books.open()];
      quiet = messages + open === 0 ? quiet + 1 : 0;
      tellOf(`${open} emails on their way, ${messages} messages`);
      await wait(Math.max(1000, mails / 2));
    }
  };
  const hasRoom = async (): Promise<void> => {
    while ((await books.messages()) > MOST_MESSAGES) await wait(1000);
  };
  const tellOf = (progress: string): void =>
    tell(`${Math.round((Date.now() - startedAt) / 1000)} s: ${progress}`);

  try {
    await uploadLargeFile(connectionString);
    fleet.launch();
    const limit = dailyLimit(plans);
    const keys = await declareCallers(fleet.anyUrl, limit);
    const call = makeCallers(connectionString, keys, fleet.anyUrl, timeline.note);
    const until = startedAt + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
    const given = await giveAll(
      plans,
      async (plan) => {
        // Exchange may keep a header of MIME, by which the mail is found again, or lose it.
        if (plan.number === Math.floor(mails * HEADERS_KEPT_UNTIL))
          cloud.graph.settings.change({ mimeHeadersAreProperties: false });
        for (let one = 1; one < instances; one += 1)
          if (plan.number === joinsAt(one, mails, instances)) fleet.launch();
        while (outages[0] !== undefined && outages[0].atMail <= plan.number) {
          const [next] = outages.splice(0, 1);
          if (next !== undefined) fleet.befall(next.outage);
        }
        arm(cloud, troubles, plan);
        if (plan.number % TELL_EVERY_MAILS === 0) tellOf(`${plan.number} emails given`);
        return call(plan, Date.now() + settleMs);
      },
      { instances, until, hasRoom },
    );
    await settled(Date.now() + settleMs);

    const [rows, copies] = [await books.rows(), await books.copies()];
    const evidence = {
      rows,
      copies,
      doubted: fleet.doubted,
      record: books.record,
      clockErrorMs: TIMES.clock.run * 1000,
    };
    const stories = await tellStories(given, evidence);
    const broken: Broken[] = stories.flatMap((story) =>
      brokenPromises(story).map((promise) => ({ mailId: story.mailId, promise })),
    );
    const limited = given.filter(({ plan, mailId }) => plan.caller === LIMITED && copies.has(mailId)).length;
    const struck = countTroubles(cloud, troubles, plans);

    // What was held is looked after by a person, and the sweep comes by; then nothing is left.
    disarm(cloud, troubles);
    fleet.heal();
    const replayed = new Set<string>();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const again = await clearDesk(fleet.anyUrl, await books.rows(), await books.copies());
      for (const mailId of again.replayed) replayed.add(mailId);
      if (again.replayed.length + again.closed.length === 0) break;
      await settled(Date.now() + settleMs);
    }
    broken.push(...brokenReplays([...replayed], await books.rows(), await books.copies()));
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
        ...(limited > limit && isOneDay(startedAt)
          ? [`${limited} emails of a caller were sent that can send ${limit} a day`]
          : []),
        ...(messages > 0 ? [`${messages} messages are left on the queues`] : []),
        ...payloads.map((name) => `the payload ${name} is left over`),
      ],
      stories,
      damaged: damaged.length,
      given,
      troubles: struck,
      starts: fleet.starts(),
      forms: await books.forms(),
      replayed: replayed.size,
      limits: countLimited(cloud),
      seconds: (Date.now() - startedAt) / 1000,
    };
  } finally {
    await fleet.stop();
    await cloud.close();
  }
};

/** Limits are counted from midnight to midnight UTC. */
const isOneDay = (startedAt: number): boolean =>
  new Date(startedAt).toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10);

const brokenReplays = (
  replayed: readonly string[],
  rows: readonly LedgerRow[],
  copies: ReadonlyMap<string, Copies>,
): readonly Broken[] => {
  const states = new Map(rows.map(({ facts, fate }) => [facts.mailId, fate.state]));
  return replayed.flatMap((mailId) => {
    const times = copies.get(mailId)?.count ?? 0;
    // Where nobody knew how its replay had gone, a person looked again, and closed it.
    if (['sent', 'closed'].includes(states.get(mailId) ?? '') && times === 1) return [];
    return [{ mailId, promise: `after a replay it is ${states.get(mailId)}, and was sent ${times} times` }];
  });
};
