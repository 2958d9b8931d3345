import { setTimeout as wait } from 'node:timers/promises';
import type { Aim } from '../aims.ts';
import { type BenchCloud, type OfferedMail, startBenchCloud, startBenchStorage } from '../cloud.ts';
import { fillQueue } from '../fill-queue.ts';
import {
  EXCHANGE_PER_MINUTE,
  mostPossible,
  steadyShare,
  WARM_UP_MS,
  type Watched,
  wastedShare,
} from '../mailbox-use.ts';
import { percent, printTable } from '../print-table.ts';
import { openRawStorage } from '../raw-storage.ts';
import { startRelay } from '../relay-under-load.ts';
import { median } from '../rounds.ts';
import { MAILBOXES } from '../sample-mail.ts';
import { type Bench, type Section, withOpen } from './section.ts';

const MAILBOXES_USED = MAILBOXES.slice(0, 6);
/** More than go in the time, so that the limit is all that holds them up. */
const MAILS_PER_MAILBOX = 4 * EXCHANGE_PER_MINUTE;
/** Long enough that a single mail more or less is about two hundredths. */
const WATCHED_MS = WARM_UP_MS + 90_000;
const LOOK_EVERY_MS = 500;
const START_LIMIT_MS = 60_000;
const AIM_SHARE = 0.95;
const AIM_WASTED = 0.02;

const meanOf = (figures: readonly number[]): number =>
  figures.reduce((sum, figure) => sum + figure, 0) / figures.length;

/** The limits of Exchange on, more mail than they allow, and one instance or two that share the queue. */
export const mailboxLimits: Section = async (bench) => {
  bench.progress(
    `limits: ${MAILS_PER_MAILBOX} emails for each of ${MAILBOXES_USED.length} mailboxes, ${WATCHED_MS / 1000} s`,
  );
  // Little is done in these minutes, so that both fit beside each other.
  const results = await Promise.all([1, 2].map((instances) => underLimits(bench, instances)));
  printTable('Under the limits of Exchange: 30 emails a minute and 4 simultaneous requests per mailbox', [
    [
      'instances',
      'of the limit',
      'least',
      'aim',
      'from the first call on',
      'calls',
      '429',
      'wasted',
      'wasted later',
      'aim',
    ],
    ...results.map(({ instances, mailboxes, offered, watched }) => {
      const shares = mailboxes.map((mails) => steadyShare(mails, watched));
      const accepted = mailboxes.map((mails) => mails.filter((mail) => mail.accepted).length);
      const later = offered.filter(({ at }) => at >= watched.startedAt + WARM_UP_MS);
      return [
        String(instances),
        percent(meanOf(shares)),
        percent(Math.min(...shares)),
        `>= ${percent(AIM_SHARE)}`,
        `${median(accepted)} of ${mostPossible(watched)}`,
        String(offered.length),
        String(offered.filter(({ status }) => status === 429).length),
        percent(wastedShare(offered)),
        percent(wastedShare(later)),
        `<= ${percent(AIM_WASTED)}`,
      ];
    }),
  ]);
  return results.flatMap(({ instances, mailboxes, offered, watched }): Aim[] => {
    const run = `Limits of Exchange, ${instances === 1 ? 'one instance' : `${instances} instances`}`;
    const shares = mailboxes.map((mails) => steadyShare(mails, watched));
    const later = offered.filter(({ at }) => at >= watched.startedAt + WARM_UP_MS);
    return [
      {
        what: `${run}: share of the limit used`,
        figure: meanOf(shares),
        limit: { atLeast: AIM_SHARE },
        show: percent,
      },
      {
        what: `${run}: calls wasted on a 429 later on`,
        figure: wastedShare(later),
        limit: { atMost: AIM_WASTED },
        show: percent,
      },
    ];
  });
};

type UnderLimits = {
  readonly instances: number;
  readonly watched: Watched;
  readonly offered: readonly OfferedMail[];
  /** By mailbox. */
  readonly mailboxes: readonly (readonly OfferedMail[])[];
};

const underLimits = async ({ appFolder }: Bench, instances: number): Promise<UnderLimits> =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    const raw = openRawStorage(storage.connectionString);
    await fillQueue(raw, 'mail', {
      count: MAILBOXES_USED.length * MAILS_PER_MAILBOX,
      mailboxes: MAILBOXES_USED.length,
      visibleInMs: 0,
    });
    raw.close();
    await Promise.all(
      Array.from({ length: instances }, () => keep(startRelay(appFolder, cloud, storage, {}))),
    );
    const startedAt = await firstCall(cloud);
    await wait(startedAt + WATCHED_MS - Date.now());
    const watched = { startedAt, endedAt: Date.now() };
    const offered = await cloud.offered();
    const mailboxes = MAILBOXES_USED.map((address) => offered.filter(({ mailbox }) => mailbox === address));
    return { instances, watched, offered, mailboxes };
  });

const firstCall = async (cloud: BenchCloud): Promise<number> => {
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline) {
    const [first] = await cloud.offered();
    if (first !== undefined) return first.at;
    await wait(LOOK_EVERY_MS);
  }
  throw new Error(`The relay sent nothing of what is on the queue within ${START_LIMIT_MS / 1000} s.`);
};
