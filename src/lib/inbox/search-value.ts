import { InboxProblem } from './inbox-problem.ts';

const SIZE = /^(\d{1,12}(?:\.\d{1,6})?)\s?(k|kb|m|mb)?$/;
/** Mailpit's: a kilobyte has 1,024 bytes. */
const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 * 1024 };

/** Bytes, of a text such as `500`, `20k` or `1.5mb`. Throws an InboxProblem. */
export const readSize = (field: string, text: string): number => {
  const [, number, unit] = SIZE.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (unit === undefined ? 1 : (UNITS[unit[0] ?? ''] ?? 1));
  throw new InboxProblem(
    400,
    `"${field}:": expected a size such as 500, 20k or 1.5m, received ${JSON.stringify(text)}.`,
  );
};

const DATE =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[t ](\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?)?\s?(z|[+-]\d{2}:?\d{2})?)?$/;

/** A time in milliseconds, of a date with or without a time of day, in the zone unless it has its own. Throws an InboxProblem. */
export const readTime = (field: string, text: string, timeZone = 'UTC'): number => {
  const [, year, month, day, hour = '0', minute = '0', second = '0', offset] = DATE.exec(text) ?? [];
  const fields = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [y, m, d, ...clock] = fields;
  const asUtc = Date.UTC(y, m - 1, d, ...clock);
  // 31 February would be a day in March.
  if (year === undefined || new Date(asUtc).getUTCDate() !== d || new Date(asUtc).getUTCMonth() !== m - 1)
    throw new InboxProblem(
      400,
      `"${field}:": expected a date such as 2026-03-02 or "2026-03-02 14:30", received ${JSON.stringify(text)}.`,
    );
  return offset === undefined ? fromZone(asUtc, timeZone) : asUtc - offsetOf(offset);
};

const MINUTE_MS = 60_000;

const offsetOf = (offset: string): number => {
  if (offset === 'z') return 0;
  const [hours, minutes] = [offset.slice(1, 3), offset.slice(-2)].map(Number) as [number, number];
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
};

/** The moment at which clocks of the zone show this. Asked twice: the first answer can be on the other side of a change of clocks. */
const fromZone = (shown: number, timeZone: string): number => {
  const aheadAt = aheadOf(timeZone);
  return shown - aheadAt(shown - aheadAt(shown));
};

/** How far clocks of the zone are ahead of UTC at a moment. */
const aheadOf = (timeZone: string): ((moment: number) => number) => {
  if (timeZone === 'UTC') return () => 0;
  const clock = clockOf(timeZone);
  return (moment) => {
    const parts = Object.fromEntries(
      clock.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(moment / 1000) * 1000;
  };
};

const clockOf = (timeZone: string): Intl.DateTimeFormat => {
  try {
    return new Intl.DateTimeFormat('en-u-ca-gregory', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new InboxProblem(
      400,
      `"tz": expected a time zone such as Asia/Hong_Kong, received ${JSON.stringify(timeZone)}.`,
    );
  }
};
