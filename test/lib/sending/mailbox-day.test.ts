import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defined } from '../../../src/lib/defined.ts';
import {
  countedAt,
  currentDay,
  type DayWant,
  dayFor,
  decideDay,
  type MailboxDay,
  placeOfTime,
  timeOfHour,
} from '../../../src/lib/sending/mailbox-day.ts';
import { recipientsIn } from '../../../src/lib/sending/rolling-day.ts';

const HOUR_MS = 3_600_000;
const LIMIT = 100;
const EMPTY: MailboxDay = { hours: {}, waiting: {} };

type Mail = DayWant & { readonly id: number; readonly comesAt: number };
type Waiter = { readonly mail: Mail; readonly place?: number; readonly backAt: number };
type Sent = { readonly mail: Mail; readonly hour: number; readonly place?: number };

/** A mailbox hour by hour: emails come, wait, come back when they were told or an hour later, and are sent. */
const playDays = (mails: readonly Mail[], hours: number) => {
  let day = EMPTY;
  let waiters: readonly Waiter[] = [];
  const sent: Sent[] = [];
  const counts: number[] = [];
  for (let hour = 1000; hour < 1000 + hours; hour += 1) {
    const now = hour * HOUR_MS + 60_000;
    const back = waiters.filter(({ backAt }) => backAt <= hour);
    waiters = waiters.filter(({ backAt }) => backAt > hour);
    // In an order that has nothing to do with their turns.
    const asking: readonly { readonly mail: Mail; readonly place?: number }[] = [
      ...mails.filter(({ comesAt }) => comesAt === hour - 1000).map((mail) => ({ mail })),
      ...back,
    ].toSorted((one, other) => ((one.mail.id * 7) % 11) - ((other.mail.id * 7) % 11));
    day = currentDay(day, now);
    for (const { mail, place } of asking) {
      const decided = decideDay(day, LIMIT, { ...mail, comesBack: true, ...defined({ place }) }, now);
      ({ day } = decided);
      const { full } = decided;
      if (full === undefined) {
        day = { ...day, hours: countedAt(day.hours, now, mail.recipients) };
        sent.push({ mail, hour, ...defined({ place }) });
        counts.push(recipientsIn(day.hours, now));
      } else {
        const waiter = { mail, backAt: Math.min(hour + 1, full.hour) };
        waiters = [...waiters, full.hasPlace ? { ...waiter, place: full.hour } : waiter];
      }
    }
  }
  return { sent, waiters, counts, day };
};

const anyMails = (priorities: readonly DayWant['priority'][]): fc.Arbitrary<readonly Mail[]> =>
  fc
    .array(
      fc.record({
        priority: fc.constantFrom(...priorities),
        recipients: fc.integer({ min: 1, max: 60 }),
        comesAt: fc.integer({ min: 0, max: 30 }),
      }),
      { maxLength: 25 },
    )
    .map((mails) => mails.map((mail, id) => ({ ...mail, id })));

describe('the recipients of a day of a mailbox', () => {
  test('stay within the limit, and in the end every email is sent', () => {
    fc.assert(
      fc.property(anyMails(['high', 'normal', 'bulk']), (mails) => {
        const { sent, waiters, counts, day } = playDays(mails, 800);
        expect(Math.max(0, ...counts)).toBeLessThanOrEqual(LIMIT);
        expect(waiters).toEqual([]);
        expect(sent).toHaveLength(mails.length);
        expect(recipientsIn(day.waiting, 0)).toBe(0);
      }),
    );
  });

  test('an email that has a place in an hour is sent in that hour or before', () => {
    fc.assert(
      fc.property(anyMails(['normal']), (mails) => {
        for (const { place, hour } of playDays(mails, 800).sent)
          if (place !== undefined) expect(hour).toBeLessThanOrEqual(place);
      }),
    );
  });

  test('an email with many recipients is not passed for ever by small ones that come all the time', () => {
    const small = Array.from({ length: 72 * 10 }, (_, id) => ({
      id: id + 1,
      priority: 'normal' as const,
      recipients: 1,
      comesAt: Math.floor(id / 10),
    }));
    const large = { id: 0, priority: 'normal' as const, recipients: 60, comesAt: 20 };
    const { sent } = playDays([...small, large], 80);
    const when = sent.find(({ mail }) => mail.id === 0)?.hour ?? Number.POSITIVE_INFINITY;
    // More than twice of what the day takes has come before it, and goes first.
    expect(when - 1020).toBeLessThanOrEqual(40);
  });

  test('emails use what those with a place do not need, urgent ones too', () => {
    const day = { hours: { 1000: 60, 1020: 20 }, waiting: { 1025: 60 } };
    const ask = (priority: DayWant['priority'], recipients: number) =>
      decideDay(day, LIMIT, { priority, recipients }, 1021 * HOUR_MS).full;
    expect(ask('normal', 18)).toBeUndefined();
    expect(ask('normal', 19)).toEqual({ hour: 1045, hasPlace: false });
    expect(ask('high', 20)).toBeUndefined();
    expect(ask('high', 21)).toEqual({ hour: 1045, hasPlace: false });
  });

  test('an urgent email uses what is left for it', () => {
    const day = { hours: { 1000: 90 }, waiting: { 1000: 8 } };
    const ask = (priority: DayWant['priority']) =>
      decideDay(day, LIMIT, { priority, recipients: 2 }, 1000 * HOUR_MS).full;
    expect(ask('high')).toBeUndefined();
    expect(ask('normal')).toEqual({ hour: 1025, hasPlace: false });
  });

  test('bulk gets no place: others never wait for it', () => {
    const full = { hours: { 990: LIMIT }, waiting: {} };
    const bulk = { priority: 'bulk', recipients: 5, comesBack: true } as const;
    const { day } = decideDay(full, LIMIT, bulk, 1000 * HOUR_MS);
    expect(day).toEqual(full);
  });

  test('a request that is refused gets no place, for it may never come back', () => {
    const full = { hours: { 990: LIMIT }, waiting: {} };
    const refused = decideDay(full, LIMIT, { priority: 'normal', recipients: 5 }, 1000 * HOUR_MS);
    expect(refused).toEqual({ day: full, full: { hour: 1015, hasPlace: false } });
    const queued = { priority: 'normal', recipients: 5, comesBack: true } as const;
    const waits = decideDay(full, LIMIT, queued, 1001 * HOUR_MS);
    expect(waits.day.waiting).toEqual({ 1015: 5 });
    expect(waits.full).toEqual({ hour: 1015, hasPlace: true });
  });

  test('a place of an email that does not come back is free after two hours', () => {
    const day = { hours: {}, waiting: { 1000: LIMIT } };
    expect(currentDay(day, 1001 * HOUR_MS).waiting).toEqual(day.waiting);
    expect(currentDay(day, 1002 * HOUR_MS).waiting).toEqual({});
  });

  test('a time says in which hour an email has a place, and no start is kept at such a time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.boolean(), (hour, hasPlace) => {
        const time = timeOfHour(hour, hasPlace);
        expect(placeOfTime(time)).toBe(hasPlace ? hour : undefined);
        expect(time % 2).toBe(1);
        expect(placeOfTime(time + 4)).toBeUndefined();
      }),
    );
  });

  test('the last fiftieth is for what is urgent, and bulk leaves a tenth to others', () => {
    expect((['high', 'normal', 'bulk'] as const).map((one) => dayFor(10_000, one))).toEqual([
      10_000, 9800, 9000,
    ]);
    expect(dayFor(1, 'bulk')).toBe(1);
  });
});
