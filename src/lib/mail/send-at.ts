import { AppError } from '../errors.ts';

const DAY_MS = 86_400_000;

/** How far ahead an email can be given to the relay. */
const MAX_DAYS_AHEAD = 30;

export const SEND_AT_FORM =
  'a date and time with its offset from UTC, such as 2026-12-01T09:00:00+01:00 or 2026-12-01T08:00:00Z';

/** ISO 8601 in its extended form: a date and a time, seconds and fractions if wanted, and an offset. */
const FORM =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/i;

export type ReadTime = { readonly time: Date } | { readonly fault: string };

/**
 * Reads a moment. Without its offset a time is another moment in every country, so that none is assumed. `fault` says what was
 * received instead, without showing it.
 */
export const readSendAt = (text: string): ReadTime => {
  const found = FORM.exec(text);
  if (found === null) return { fault: formFault(text) };
  const [, year, month, day, hour, minute, second = '0', fraction = '', offset] = found;
  if (offset === undefined) return { fault: 'a time without its offset from UTC' };
  if (!isDay(Number(year), Number(month), Number(day)))
    return { fault: 'a day that the calendar does not have' };
  // 24:00 is the next day, and a leap second (RFC 3339, 5.7) is no time that a clock of ours shows.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return { fault: 'a time of day that no clock shows' };
  const local = Date.UTC(
    ...([
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    ] as const),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  return { time: new Date(local - offsetMs(offset)) };
};

const formFault = (text: string): string => {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return 'a date without a time';
  if (/^\d{4}-\d\d-\d\d /.test(text)) return 'a date and time without the letter T between them';
  if (/^\d+$/.test(text)) return `a number of ${text.length} digits`;
  return `text of ${text.length} characters in another form`;
};

const isDay = (year: number, month: number, day: number): boolean => {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};

const offsetMs = (offset: string): number => {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
};

/**
 * The moment an email waits for, as the ledger keeps it: undefined where it is to be sent as soon as it can be, because it
 * names none or one that has passed. Throws SEND_AT_INVALID for one that is too far ahead of its acceptance.
 */
export const decideSendAt = (sendAt: string | undefined, acceptedAt: Date): string | undefined => {
  if (sendAt === undefined) return undefined;
  const aheadMs = Date.parse(sendAt) - acceptedAt.getTime();
  if (aheadMs <= MAX_DAYS_AHEAD * DAY_MS) return aheadMs > 0 ? sendAt : undefined;
  throw new AppError('SEND_AT_INVALID', {
    problems: [
      {
        code: 'SEND_AT_INVALID',
        pointer: '/sendAt',
        expected: `a time at most ${MAX_DAYS_AHEAD} days after the relay receives the email`,
        received: `a time ${Math.ceil(aheadMs / DAY_MS)} days after`,
      },
    ],
  });
};

/** As `decideSendAt`, of an email as it was received and judged before; undefined also for a time that is not valid. */
export const sendAtOf = (input: unknown, acceptedAt: Date): string | undefined => {
  const { sendAt } = (input ?? {}) as { readonly sendAt?: unknown };
  const read = typeof sendAt === 'string' ? readSendAt(sendAt) : undefined;
  if (read === undefined || 'fault' in read) return undefined;
  const aheadMs = read.time.getTime() - acceptedAt.getTime();
  return aheadMs > 0 && aheadMs <= MAX_DAYS_AHEAD * DAY_MS ? read.time.toISOString() : undefined;
};
