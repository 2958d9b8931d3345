import type { Aim } from '../aims.ts';
import { type Call, makeLaneWorld, mostInAnyMinute, type WorldMail } from '../lanes/lane-world.ts';
import { EXCHANGE_PER_MINUTE } from '../mailbox-use.ts';
import { percent, printTable } from '../print-table.ts';
import type { Section } from './section.ts';

const MINUTE_MS = 60_000;
const AIM_SHARE = 0.95;
const AIM_WASTED = 0.01;
const AIM_SPREAD = 0.1;
const AIM_DELAY_S = 5;
/** Clocks of instances differ by seconds from that of storage. */
const CLOCK_SKEW_MS = 2000;
const SEED = 17;

type Case = {
  readonly instances: number;
  readonly mailboxes: number;
  readonly mails: number;
  readonly minutes: number;
  readonly isAlone?: boolean;
};

type Figures = Case & {
  readonly mean: number;
  readonly least: number;
  readonly spread: number;
  readonly wastedLater: number;
  readonly most: number;
  readonly requests: number;
};

const namesOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `mailbox-${index}@contoso.example`);

/** More email than the limits allow, and what each mailbox got of its limit after the first minute. */
const measure = async (which: Case): Promise<Figures> => {
  const { instances, mailboxes, mails, minutes, isAlone = false } = which;
  const world = makeLaneWorld({ instances, seed: SEED, clockSkewMs: CLOCK_SKEW_MS, isAlone });
  const names = namesOf(mailboxes);
  world.offer(mails, names);
  await world.runUntil(minutes * MINUTE_MS);
  const byMailbox = Map.groupBy(world.calls, ({ mailbox }) => mailbox);
  const shares = names.map((name) => shareOf(byMailbox.get(name) ?? [], world.now()));
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const later = world.calls.filter(({ at }) => at >= world.startedAt + MINUTE_MS);
  return {
    ...which,
    mean,
    least: Math.min(...shares),
    spread: (Math.max(...shares) - Math.min(...shares)) / mean,
    wastedLater: later.filter(({ status }) => status === 429).length / Math.max(1, later.length),
    most: Math.max(...[...byMailbox.values()].map(mostInAnyMinute)),
    requests: (world.requests.read + world.requests.written) / world.mails.length,
  };
};

const shareOf = (calls: readonly Call[], end: number): number => {
  const first = calls[0];
  if (first === undefined) return 0;
  // The first thirty go when they come; what counts begins when their minute is over.
  const from = first.at + MINUTE_MS + 2000;
  const accepted = calls.filter(({ status, at }) => status === 202 && at >= from && at < end);
  return accepted.length / (((end - from) / MINUTE_MS) * EXCHANGE_PER_MINUTE);
};

const WAITING = 10_000;

/** How long one email of an idle mailbox takes beside many that wait for another, in seconds; put on the queue so long after them. */
const delayBeside = async (instances: number, afterMs: number): Promise<number> => {
  const world = makeLaneWorld({ instances, seed: SEED });
  world.offer(WAITING, ['busy@contoso.example']);
  await world.runUntil(afterMs);
  const [single] = world.offer(1, ['idle@contoso.example']) as readonly [WorldMail];
  await world.runUntil(afterMs + 10 * MINUTE_MS);
  return single.sentAt === undefined ? Number.POSITIVE_INFINITY : (single.sentAt - single.putAt) / 1000;
};

const seconds = (figure: number): string => `${figure.toFixed(1)} s`;

/**
 * Instances that share the lanes of mailboxes, in moved time: the pacer and the lane are the real ones, and queue, storage and Exchange
 * have their limits and times. So the figures do not depend on this machine.
 */
export const sharedLanes: Section = async ({ quick, progress }) => {
  const of = (instances: number, mailboxes: number, mails: number, minutes: number): Case => ({
    instances,
    mailboxes,
    mails,
    minutes,
  });
  const cases: readonly Case[] = quick
    ? [of(1, 1, 300, 4), of(5, 1, 300, 4), of(5, 20, 120, 3)]
    : [
        ...[1, 2, 5, 20].map((instances) => of(instances, 1, 1000, 10)),
        ...[1, 2, 5, 20].map((instances) => of(instances, 200, 200, 5)),
      ];
  const figures: Figures[] = [];
  const before: Figures[] = [];
  for (const one of cases) {
    progress(`lanes: ${one.instances} instances, ${one.mailboxes} mailboxes`);
    figures.push(await measure(one));
    before.push(await measure({ ...one, isAlone: true }));
  }
  const delays = [];
  for (const instances of quick ? [2] : [1, 2, 5, 20]) {
    progress(`lanes: one email beside ${WAITING}, ${instances} instances`);
    delays.push({
      instances,
      behindMs: await delayBeside(instances, 0),
      besideMs: await delayBeside(instances, 20 * MINUTE_MS),
    });
  }

  const row = (one: Figures, how: string) => [
    String(one.instances),
    String(one.mailboxes),
    how,
    percent(one.mean),
    percent(one.least),
    percent(one.spread),
    percent(one.wastedLater),
    String(one.most),
    one.requests.toFixed(2),
  ];
  printTable('Instances that share the lanes of mailboxes, in moved time; before: each instance alone', [
    [
      'instances',
      'mailboxes',
      '',
      'of the limit',
      'least',
      'spread',
      'wasted after a minute',
      'most in a minute',
      'table requests an email',
    ],
    ...figures.flatMap((one, index) => [row(before[index] ?? one, 'before'), row(one, 'shared')]),
  ]);
  printTable(`One email of an idle mailbox beside ${WAITING} of a busy one: seconds until it is sent`, [
    ['instances', 'put behind them', 'put when they wait for their starts'],
    ...delays.map(({ instances, behindMs, besideMs }) => [
      String(instances),
      seconds(behindMs),
      seconds(besideMs),
    ]),
  ]);

  return [
    ...figures.flatMap((one): Aim[] => {
      const run = `Lanes, ${one.instances} instances, ${one.mailboxes} mailboxes`;
      const always: Aim[] = [
        {
          what: `${run}: most requests in any minute`,
          figure: one.most,
          limit: { atMost: EXCHANGE_PER_MINUTE },
        },
        {
          what: `${run}: calls wasted after the first minute`,
          figure: one.wastedLater,
          limit: { atMost: AIM_WASTED },
          show: percent,
        },
      ];
      // With 24 invocations, one instance sends about fifty emails a second, and two hundred busy mailboxes take a hundred.
      if (one.mailboxes > 40 * one.instances) return always;
      return [
        ...always,
        {
          what: `${run}: share of the limit used`,
          figure: one.mean,
          limit: { atLeast: AIM_SHARE },
          show: percent,
        },
        {
          what: `${run}: spread between mailboxes`,
          figure: one.spread,
          limit: { atMost: AIM_SPREAD },
          show: percent,
        },
      ];
    }),
    ...delays.map(
      ({ instances, besideMs }): Aim => ({
        what: `Lanes, ${instances} instances: one email beside ${WAITING} that wait`,
        figure: besideMs,
        limit: { atMost: AIM_DELAY_S },
        show: seconds,
      }),
    ),
  ];
};
