import type { MailboxShare } from './mailbox-share.ts';

/** What one instance, or all of them, sent from a mailbox, by minutes and hours since 1970. */
export type MailboxUse = {
  readonly address: string;
  /** Emails of the last minutes. */
  readonly minutes: Readonly<Record<string, number>>;
  /** Emails, recipients and pauses of the last 24 hours. */
  readonly hours: Readonly<Record<string, HourUse>>;
  /** Graph limits it until then; milliseconds of the epoch. */
  readonly pausedUntil: number;
};

type HourUse = { readonly mails: number; readonly recipients: number; readonly pauses: number };

/** What a mailbox may send, as settings. */
export type MailboxLimits = { readonly perMinute: number; readonly recipientsPerDay: number };

/**
 * What Exchange allows a mailbox (Exchange Online limits, Sending limits):
 * https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits#sending-limits-1
 */
export const EXCHANGE_LIMITS: MailboxLimits = { perMinute: 30, recipientsPerDay: 10_000 };

/** More mailboxes would make a row of the table, and the metrics, grow without a bound. */
const MOST_MAILBOXES = 50;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Two samples, which are five minutes apart, see each minute at least once. */
const MINUTES_KEPT = 10;
const HOURS_KEPT = 24;

const NO_USE: HourUse = { mails: 0, recipients: 0, pauses: 0 };

const since = <Value>(
  slots: Readonly<Record<string, Value>>,
  first: number,
): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(slots).filter(([slot]) => Number(slot) >= first));

const added = (one: HourUse, other: HourUse): HourUse => ({
  mails: one.mails + other.mails,
  recipients: one.recipients + other.recipients,
  pauses: one.pauses + other.pauses,
});

/** Without what is too old to count. */
const current = (use: MailboxUse, now: Date): MailboxUse => ({
  ...use,
  minutes: since(use.minutes, Math.floor(now.getTime() / MINUTE_MS) - MINUTES_KEPT),
  hours: since(use.hours, Math.floor(now.getTime() / HOUR_MS) - HOURS_KEPT + 1),
});

const recipientsOf = ({ hours }: MailboxUse): number =>
  Object.values(hours).reduce((sum, { recipients }) => sum + recipients, 0);

/** The busiest mailboxes: those with the most recipients in the last 24 hours. */
const busiest = (uses: readonly MailboxUse[], now: Date): readonly MailboxUse[] =>
  uses
    .map((use) => current(use, now))
    .filter(({ hours, pausedUntil }) => Object.keys(hours).length > 0 || pausedUntil > now.getTime())
    .toSorted((one, other) => recipientsOf(other) - recipientsOf(one))
    .slice(0, MOST_MAILBOXES);

/** What all instances together sent from each mailbox. */
export const combineUses = (uses: readonly MailboxUse[]): readonly MailboxUse[] => {
  const together = new Map<string, MailboxUse>();
  for (const use of uses) {
    const known = together.get(use.address);
    together.set(use.address, known === undefined ? use : combineTwo(known, use));
  }
  return [...together.values()];
};

const combineTwo = (one: MailboxUse, other: MailboxUse): MailboxUse => {
  const minutes: Record<string, number> = { ...one.minutes };
  for (const [minute, mails] of Object.entries(other.minutes))
    minutes[minute] = (minutes[minute] ?? 0) + mails;
  const hours: Record<string, HourUse> = { ...one.hours };
  for (const [hour, use] of Object.entries(other.hours)) hours[hour] = added(hours[hour] ?? NO_USE, use);
  return {
    address: one.address,
    minutes,
    hours,
    pausedUntil: Math.max(one.pausedUntil, other.pausedUntil),
  };
};

/** How much of their limits the busiest mailboxes use. */
export const sharesOf = (
  uses: readonly MailboxUse[],
  { perMinute, recipientsPerDay }: MailboxLimits,
  now: Date,
): readonly MailboxShare[] =>
  busiest(combineUses(uses), now).map(({ address, minutes, hours, pausedUntil }) => {
    const day = Object.values(hours).reduce(added, NO_USE);
    return {
      address,
      minute: Math.max(0, ...Object.values(minutes)) / perMinute,
      day: day.recipients / recipientsPerDay,
      sentLastDay: day.mails,
      recipientsLastDay: day.recipients,
      ...(pausedUntil > now.getTime() ? { pausedUntil: new Date(pausedUntil).toISOString() } : {}),
      pausesLastDay: day.pauses,
    };
  });

/** Remembers in this process what was sent from mailboxes. */
export type MailboxMeter = {
  readonly sent: (address: string, recipients: number, now: Date) => void;
  readonly paused: (address: string, until: Date, now: Date) => void;
  /** Of the busiest ones. */
  readonly uses: (now: Date) => readonly MailboxUse[];
};

/** So many are remembered between two looks at them. */
const MOST_REMEMBERED = 1000;

/** Makes the memory of mailboxes; `onChange` is called whenever it has changed. */
export const makeMailboxMeter = (onChange: () => void = () => undefined): MailboxMeter => {
  let known = new Map<string, MailboxUse>();

  const note = (address: string, now: Date, hourUse: HourUse, until = 0): void => {
    const name = address.toLowerCase();
    if (name === '') return;
    if (known.size >= MOST_REMEMBERED && !known.has(name))
      known = new Map(busiest([...known.values()], now).map((use) => [use.address, use]));
    const hour = Math.floor(now.getTime() / HOUR_MS);
    const minute = Math.floor(now.getTime() / MINUTE_MS);
    const before = known.get(name) ?? { address: name, minutes: {}, hours: {}, pausedUntil: 0 };
    const { minutes, hours, pausedUntil } = minute in before.minutes ? before : current(before, now);
    known.set(name, {
      address: name,
      minutes: { ...minutes, [minute]: (minutes[minute] ?? 0) + hourUse.mails },
      hours: { ...hours, [hour]: added(hours[hour] ?? NO_USE, hourUse) },
      pausedUntil: Math.max(pausedUntil, until),
    });
    onChange();
  };

  return {
    sent: (address, recipients, now) => note(address, now, { mails: 1, recipients, pauses: 0 }),
    paused: (address, until, now) =>
      note(address, now, { mails: 0, recipients: 0, pauses: 1 }, until.getTime()),
    uses: (now) => busiest([...known.values()], now),
  };
};
