import type { Priority } from '../mail/priority.ts';
import { countedHours, type Hours, hourOf, roomAt } from './rolling-day.ts';

/*
 * The recipients of a day of a mailbox. An email that finds no room, and comes back, gets a place in the hour in which there is room. Those
 * that come later leave it free, so that an email with many recipients is not passed by small ones for ever.
 */

export type MailboxDay = {
  /** Recipients by hours since 1970, of the last day. */
  readonly hours: Hours;
  /** Recipients of emails that have a place, by its hour. */
  readonly waiting: Hours;
};

export type DayWant = {
  readonly priority: Priority;
  readonly recipients: number;
  /** It comes back when there is room; who was only asked for by HTTP may not. */
  readonly comesBack?: boolean;
  /** The hour in which it has a place. */
  readonly place?: number;
};

const HOUR_MS = 3_600_000;
/** Emails come back within the hour of their place, and an instance can die with one. After that, the place is free. */
const PLACE_HOURS = 2;
/** By the milliseconds of its hour, the time of a place is known from other times. Odd: no start is kept at it. */
const [TOLD_MS, PLACE_MS] = [1, 3];

/** The time, in milliseconds of the epoch, that an email brings back which was told this hour, and may have a place in it. */
export const timeOfHour = (hour: number, hasPlace: boolean): number =>
  hour * HOUR_MS + (hasPlace ? PLACE_MS : TOLD_MS);

/** The hour in which an email has a place, if the time that it brings says one. */
export const placeOfTime = (time: number): number | undefined =>
  time % HOUR_MS === PLACE_MS ? hourOf(time) : undefined;

/** What of the recipients of a day an email of this priority can use: a little is left for what is urgent. */
export const dayFor = (recipientsPerDay: number, priority: Priority): number => {
  const kept = { high: 0, normal: 1 / 50, bulk: 1 / 10 }[priority];
  return Math.max(1, Math.floor(recipientsPerDay * (1 - kept)));
};

/** Without what is too old to count. */
export const currentDay = ({ hours, waiting }: MailboxDay, now: number): MailboxDay => ({
  hours: countedHours(hours, now),
  waiting: Object.fromEntries(
    Object.entries(waiting).filter(([hour, count]) => count > 0 && Number(hour) > hourOf(now) - PLACE_HOURS),
  ),
});

/** Without the place of an email that will not come back for it. */
export const withoutPlace = (
  waiting: Hours,
  place: number,
  recipients: number,
  recipientsPerDay: number,
): Hours => countedAt(waiting, place * HOUR_MS, -Math.min(recipients, dayFor(recipientsPerDay, 'normal')));

/** Counts recipients at a time, or no longer counts them where the number is negative. */
export const countedAt = (hours: Hours, time: number, recipients: number): Hours => {
  if (recipients === 0) return hours;
  const hour = String(hourOf(time));
  return { ...hours, [hour]: Math.max(0, (hours[hour] ?? 0) + recipients) };
};

/** Whether the day has room for an email now; otherwise from which hour on, and whether it has a place then. Bulk gets none: others never wait for it. */
export const decideDay = (
  { hours, waiting }: MailboxDay,
  recipientsPerDay: number,
  { priority, recipients, comesBack = false, place }: DayWant,
  now: number,
): { readonly day: MailboxDay; readonly full?: { readonly hour: number; readonly hasPlace: boolean } } => {
  const limit = dayFor(recipientsPerDay, priority);
  const need = Math.min(recipients, limit);
  const others = place === undefined ? waiting : countedAt(waiting, place * HOUR_MS, -need);
  const before = Object.entries(others).filter(([hour]) => place === undefined || Number(hour) < place);
  const room = roomAt(hours, limit, need, now, Object.fromEntries(before));
  if (room <= now) return { day: { hours, waiting: others } };
  const hasPlace = comesBack && priority !== 'bulk';
  return {
    day: { hours, waiting: hasPlace ? countedAt(others, room, need) : others },
    full: { hour: hourOf(room), hasPlace },
  };
};
