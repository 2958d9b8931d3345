import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Aim } from '../aims.ts';
import { buildApp } from '../app-folder.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { fillQueue } from '../fill-queue.ts';
import { startHost } from '../host.ts';
import { ms, perSecond, printTable, times } from '../print-table.ts';
import { drainRaw } from '../raw-drain.ts';
import { openRawEmail, type RawEmail } from '../raw-email.ts';
import { type RelayUnderLoad, startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { steadyMs, wholeThirds } from '../steady-rate.ts';
import { until } from '../until.ts';
import { EMPTY_FUNCTION, NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/** Exchange, https://learn.microsoft.com/graph/throttling-limits#limits-per-mailbox */
const MAILBOX_CONCURRENCY = 4;

const SCENARIOS = [
  { mailboxes: 1, latencyMs: 0, count: 300 },
  { mailboxes: 20, latencyMs: 0, count: 450 },
  { mailboxes: 1, latencyMs: 100, count: 150 },
  { mailboxes: 20, latencyMs: 100, count: 300 },
] as const;
type Scenario = (typeof SCENARIOS)[number];
const ROUNDS = 5;
const QUICK_ROUNDS = 1;
const QUICK_COUNT = 60;
const AIM = 0.8;

const MAIL_QUEUE = 'mail';
const RAW_QUEUE = 'bench-raw';

const nameOf = (what: 'raw' | 'queue', { mailboxes, latencyMs }: Scenario) =>
  `${what} ${mailboxes} ${latencyMs}`;

/** What the host takes from the queue at a time, and how many messages it has at most in progress. */
const readBatches = async (appFolder: string) => {
  const { queues } = JSON.parse(await readFile(join(appFolder, 'host.json'), 'utf8')).extensions as {
    queues: { batchSize: number; newBatchThreshold: number };
  };
  return { batch: queues.batchSize, most: queues.batchSize + queues.newBatchThreshold };
};

/** Emails on the queue, for one mailbox and for many, with Graph near and far, against raw requests that do the same. */
export const queuePath: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    const empty = await keep(startHost(await buildApp(EMPTY_FUNCTION), cloud, storage));
    await cloud.limit(false);
    const raw = await keep(openRawEmail(cloud, storage, empty));
    await raw.storage.createQueue(RAW_QUEUE);
    const { batch, most } = await readBatches(appFolder);

    const cases = SCENARIOS.flatMap((scenario): Case[] => {
      const { mailboxes, latencyMs } = scenario;
      const count = wholeThirds(quick ? QUICK_COUNT : scenario.count);
      const concurrency = Math.min(most, mailboxes * MAILBOX_CONCURRENCY);
      return [
        {
          name: nameOf('raw', scenario),
          measure: async () => {
            await cloud.delay(latencyMs);
            // Of a measurement that lost a connection and is made again.
            await raw.storage.clearQueue(RAW_QUEUE);
            await fillQueue(raw.storage, RAW_QUEUE, { count, mailboxes, visibleInMs: 0 });
            return steadyMs(await drainRaw(raw, { queue: RAW_QUEUE, count, batch, concurrency }));
          },
        },
        {
          name: nameOf('queue', scenario),
          measure: async () => {
            await cloud.delay(latencyMs);
            return steadyMs(await drainByRelay(relay, raw, count, mailboxes));
          },
        },
      ];
    });
    const rounds = await inRounds(quick ? QUICK_ROUNDS : ROUNDS, cases, (line) => progress(`queue: ${line}`));

    const ratioOf = (scenario: Scenario) =>
      medianOf(rounds, (figure) => figure(nameOf('raw', scenario)) / figure(nameOf('queue', scenario)));
    printTable('Queue path, 4 simultaneous requests per mailbox, no limit per minute', [
      ['mailboxes', 'Graph takes', 'baseline', 'relay', 'rate', 'baseline / relay'],
      ...SCENARIOS.map((scenario) => {
        const queue = medianOf(rounds, (figure) => figure(nameOf('queue', scenario)));
        return [
          String(scenario.mailboxes),
          `${scenario.latencyMs} ms`,
          ms(medianOf(rounds, (figure) => figure(nameOf('raw', scenario)))),
          ms(queue),
          perSecond(queue),
          times(ratioOf(scenario)),
        ];
      }),
    ]);
    return SCENARIOS.map((scenario): Aim => {
      const mailboxes = scenario.mailboxes === 1 ? 'one mailbox' : `${scenario.mailboxes} mailboxes`;
      return {
        what: `Queue path, ${mailboxes}, Graph takes ${scenario.latencyMs} ms: baseline / relay`,
        figure: ratioOf(scenario),
        limit: { atLeast: AIM },
      };
    });
  });

/** Longer than filling the queue takes. */
const FILLING_MS = 3000;
const LIMIT_MS = 120_000;

/** When each email was sent by the relay. They become visible together, as the relay takes them while they are put there. */
const drainByRelay = async (
  relay: RelayUnderLoad,
  raw: RawEmail,
  count: number,
  mailboxes: number,
): Promise<readonly number[]> => {
  const before = relay.sentAt.length;
  await fillQueue(raw.storage, MAIL_QUEUE, { count, mailboxes, visibleInMs: FILLING_MS });
  if (!(await until(() => relay.sentAt.length >= before + count, LIMIT_MS)))
    throw new Error(`Of ${count} emails on the queue ${relay.sentAt.length - before} were sent in time.`);
  return relay.sentAt.slice(before, before + count);
};
