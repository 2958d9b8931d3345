import { closedLoop } from '../closed-loop.ts';
import { type BenchStorage, startBenchCloud, startBenchStorage } from '../cloud.ts';
import { fillQueue } from '../fill-queue.ts';
import { ms, perSecond, printTable, times } from '../print-table.ts';
import { openRawPost } from '../raw-post.ts';
import { type RelayUnderLoad, startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { until } from '../until.ts';
import { NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/** What host.json lets run at once: batchSize and newBatchThreshold. */
const HOST_CONCURRENCY = 12;
/** Exchange, https://learn.microsoft.com/graph/throttling-limits#limits-per-mailbox */
const MAILBOX_CONCURRENCY = 4;

const SCENARIOS = [
  { mailboxes: 1, latencyMs: 0, count: 300 },
  { mailboxes: 20, latencyMs: 0, count: 450 },
  { mailboxes: 1, latencyMs: 100, count: 150 },
  { mailboxes: 20, latencyMs: 100, count: 300 },
] as const;
type Scenario = (typeof SCENARIOS)[number];

/**
 * Where a mailbox and Graph as far away as it is are what holds mails up, as in life. The other scenarios show what the
 * machine carries, which is many times what Exchange takes from so many mailboxes.
 */
const AIM = 0.8;
const HELD_UP_BY_GRAPH = SCENARIOS[2];

const nameOf = (what: 'raw' | 'queue', { mailboxes, latencyMs }: Scenario) =>
  `${what} ${mailboxes} ${latencyMs}`;

const concurrencyOf = ({ mailboxes }: Scenario) =>
  Math.min(HOST_CONCURRENCY, mailboxes * MAILBOX_CONCURRENCY);

/** (c): mails that lie on the queue, for one mailbox and for many, with Graph near and far. */
export const queuePath: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    await cloud.limit(false);
    const post = await openRawPost(cloud);

    const cases = SCENARIOS.flatMap((scenario): Case[] => {
      const { mailboxes, latencyMs } = scenario;
      const count = quick ? scenario.count / 3 : scenario.count;
      return [
        {
          name: nameOf('raw', scenario),
          measure: async () => {
            await cloud.delay(latencyMs);
            return closedLoop({ count: count / 3, concurrency: concurrencyOf(scenario) }, (index) =>
              post(index, mailboxes),
            );
          },
        },
        {
          name: nameOf('queue', scenario),
          measure: async () => {
            await cloud.delay(latencyMs);
            return drainQueue(relay, storage, count, mailboxes);
          },
        },
      ];
    });
    const rounds = await inRounds(quick ? 1 : 3, cases, (line) => progress(`c: ${line}`));

    const ratioOf = (scenario: Scenario) =>
      medianOf(rounds, (figure) => figure(nameOf('raw', scenario)) / figure(nameOf('queue', scenario)));
    printTable('(c) Queue path, 4 simultaneous requests per mailbox, no limit per minute', [
      ['mailboxes', 'Graph takes', 'raw POST', 'by queue', 'rate', 'raw / queue', 'aim'],
      ...SCENARIOS.map((scenario) => {
        const queue = medianOf(rounds, (figure) => figure(nameOf('queue', scenario)));
        const raw = medianOf(rounds, (figure) => figure(nameOf('raw', scenario)));
        return [
          String(scenario.mailboxes),
          `${scenario.latencyMs} ms`,
          ms(raw),
          ms(queue),
          perSecond(queue),
          times(ratioOf(scenario)),
          scenario === HELD_UP_BY_GRAPH ? `>= ${times(AIM)}` : '',
        ];
      }),
    ]);
    return [
      {
        what: '(c) queue path, one mailbox, Graph takes 100 ms: raw / queue',
        figure: ratioOf(HELD_UP_BY_GRAPH),
        limit: { atLeast: AIM },
      },
    ];
  });

/** Longer than filling the queue takes. */
const FILLING_MS = 3000;
const LIMIT_MS = 120_000;

/** Milliseconds per mail of the last two thirds: before that the mails become visible within a second, and not at once. */
const drainQueue = async (
  relay: RelayUnderLoad,
  storage: BenchStorage,
  count: number,
  mailboxes: number,
): Promise<number> => {
  const before = relay.sentAt.length;
  await fillQueue(storage, { count, mailboxes, visibleInMs: FILLING_MS });
  if (!(await until(() => relay.sentAt.length >= before + count, LIMIT_MS)))
    throw new Error(`Of ${count} emails on the queue ${relay.sentAt.length - before} were sent in time.`);
  const sent = relay.sentAt.slice(before, before + count);
  const from = Math.floor(count / 3);
  return ((sent.at(-1) ?? 0) - (sent[from] ?? 0)) / (count - 1 - from);
};
