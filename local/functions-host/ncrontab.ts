import { CronExpressionParser } from 'cron-parser';
import { messageOf } from '../message-of.ts';

/** The first occurrence strictly after a moment. */
export type Schedule = (after: Date) => Date;

const FIELDS = '{second} {minute} {hour} {day} {month} {day-of-week}';
// cron-parser also reads L, ?, # and H; NCRONTAB does not, so such a schedule would fail in Azure only.
const NCRONTAB_ITEM = /^(?:\*|(?:\d+|[a-z]{3,})(?:-(?:\d+|[a-z]{3,}))?)(?:\/\d+)?$/i;
const isNcrontabField = (field: string) => field.split(',').every((item) => NCRONTAB_ITEM.test(item));
const LONGEST_SEARCH_DAYS = 366 * 28;

/** Reads a schedule. Throws where it is none, or where its day never comes. */
export const parseNcrontab = (expression: string, timeZone: string): Schedule => {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 6 || !fields.every(isNcrontabField))
    throw new Error(
      `The schedule "${expression}" is not an NCRONTAB expression of six fields: ${FIELDS}, for example "0 30 7 * * 1-5".`,
    );
  const daysOfWeek = parse(expression, fields.join(' '), timeZone, new Date(0)).fields.dayOfWeek.values.map(
    Number,
  );
  const anyDayOfWeek = fields.with(5, '*').join(' ');
  // With both a day of the month and a day of the week NCRONTAB wants both to match, where cron wants either.
  return (after) => {
    const occurrences = parse(expression, anyDayOfWeek, timeZone, after);
    const end = after.getTime() + LONGEST_SEARCH_DAYS * 86_400_000;
    for (;;) {
      const next = occurrences.next();
      if (daysOfWeek.includes(next.getDay())) return next.toDate();
      if (next.getTime() > end) throw new Error(`The schedule "${expression}" never comes: no such day.`);
      next.setEndOfDay();
      occurrences.reset(next);
    }
  };
};

const parse = (expression: string, text: string, tz: string, currentDate: Date) => {
  try {
    return CronExpressionParser.parse(text, { tz, currentDate });
  } catch (error) {
    throw new Error(`The schedule "${expression}" cannot be read: ${messageOf(error)}. Fields: ${FIELDS}.`);
  }
};
