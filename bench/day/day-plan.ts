import type { Priority } from '../../src/lib/mail/priority.ts';
import type { Door, NewEmail } from './emails.ts';
import { makeRandom, type Random } from './random.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export type DayOptions = {
  readonly emails: number;
  readonly mailboxes: number;
  readonly instances: number;
  readonly seed: number;
};

/** From a time of the day to another, in milliseconds. */
export type Span = { readonly from: number; readonly to: number };

const at = (hours: number, minutes = 0): number => hours * HOUR_MS + minutes * MINUTE_MS;
const span = (from: number, minutes: number): Span => ({ from, to: from + minutes * MINUTE_MS });

/** What goes wrong, and when. */
export const TROUBLES = {
  /** Graph returns 503, 504 or nothing, or takes long. */
  brownOut: span(at(10), 30),
  /** The server that has an eighth of the partitions of the ledger is slow, and refuses some requests. */
  slowPartitions: span(at(12), 12),
  /** The same for the partition that has the lanes of all mailboxes. */
  slowLanes: span(at(13), 5),
  /** Each instance is replaced, one after another; the second time in the middle of the burst. */
  deployments: [at(11, 30), at(16, 10)],
  /** On average. */
  killEveryMs: 25 * MINUTE_MS,
} as const;

/** Parts of the usual emails, hour by hour. */
const HOURS = [1, 1, 1, 1, 1, 2, 4, 8, 14, 16, 15, 14, 10, 13, 14, 13, 11, 8, 5, 3, 2, 2, 1, 1];

/** What comes beside them: parts of all emails, when, and from which part of the mailboxes. */
type Burst = Span & {
  readonly name: string;
  readonly part: number;
  readonly mailboxes: Span;
  readonly priority: Priority;
  readonly door: Door;
};

export const BURSTS: readonly Burst[] = [
  {
    name: 'the jobs of 9:00',
    ...span(at(9), 10),
    part: 0.1,
    mailboxes: { from: 0, to: 1 },
    priority: 'normal',
    door: 'queue',
  },
  {
    name: 'the newsletters from 11:00 to 13:00',
    ...span(at(11), 120),
    part: 0.04,
    mailboxes: { from: 0, to: 0.4 },
    priority: 'bulk',
    door: 'queue',
  },
  {
    name: "the invoices of the month's end at 16:00",
    ...span(at(16), 20),
    part: 0.12,
    mailboxes: { from: 0.8, to: 1 },
    priority: 'normal',
    door: 'http-async',
  },
];

const USUAL = 1 - BURSTS.reduce((sum, { part }) => sum + part, 0);
const HIGH = 0.08;
const BULK = 0.15;
const SECOND_RECIPIENT = 0.05;
const WITHOUT_COPY = 0.02;

/** The emails of one minute after another, as applications hand them over. */
export const makeDayPlan = ({ emails, mailboxes, seed }: DayOptions) => {
  const random = makeRandom(seed + 17);
  const weights = Array.from({ length: mailboxes }, () => 0.6 + 0.7 * random());
  const all = weights.reduce((sum, one) => sum + one, 0);
  const bounds = weights.map(
    (
      (sum) => (weight: number) =>
        (sum += weight / all)
    )(0),
  );
  const hours = HOURS.reduce((sum, one) => sum + one, 0);
  let owed = 0;
  const owing = BURSTS.map(() => 0);

  const anyMailbox = (): number => {
    const wanted = random();
    let [low, high] = [0, bounds.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] ?? 1) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const mailboxWithin = ({ from, to }: Span): number =>
    Math.min(mailboxes - 1, Math.floor((from + (to - from) * random()) * mailboxes));

  const common = (minute: number) => ({
    at: (minute + random()) * MINUTE_MS,
    recipients: random() < SECOND_RECIPIENT ? 2 : 1,
    leavesCopy: random() >= WITHOUT_COPY,
  });
  const usual = (minute: number): NewEmail => {
    const kind = random();
    const priority = kind < HIGH ? 'high' : kind < HIGH + BULK ? 'bulk' : 'normal';
    return { ...common(minute), mailbox: anyMailbox(), priority, door: doorOf(priority, random) };
  };

  return {
    ofMinute: (minute: number): readonly NewEmail[] => {
      owed += (emails * USUAL * (HOURS[Math.floor(minute / 60)] ?? 0)) / hours / 60;
      const own = Array.from({ length: Math.floor(owed) }, () => usual(minute));
      owed -= own.length;
      const bursts = BURSTS.flatMap((burst, index) => {
        if (minute * MINUTE_MS < burst.from || minute * MINUTE_MS >= burst.to) return [];
        const minutes = (burst.to - burst.from) / MINUTE_MS;
        const due = (owing[index] ?? 0) + (emails * burst.part) / minutes;
        owing[index] = due - Math.floor(due);
        return Array.from({ length: Math.floor(due) }, () => ({
          ...common(minute),
          mailbox: mailboxWithin(burst.mailboxes),
          priority: burst.priority,
          door: burst.door,
        }));
      });
      return [...own, ...bursts].toSorted((one, other) => one.at - other.at);
    },
  };
};

const doorOf = (priority: Priority, random: Random): Door => {
  const kind = random();
  if (priority === 'bulk') return 'queue';
  if (priority === 'high') return 'http';
  return kind < 0.6 ? 'http' : kind < 0.7 ? 'http-async' : 'queue';
};
