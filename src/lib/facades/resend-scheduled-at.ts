import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { readSendAt } from '../mail/send-at.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** As people write them; a month has no length. */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:s|secs?|seconds?)$/, SECOND],
  [/^(?:m|mins?|minutes?)$/, MINUTE],
  [/^(?:h|hrs?|hours?)$/, HOUR],
  [/^(?:d|days?)$/, DAY],
  [/^(?:w|weeks?)$/, 7 * DAY],
];

const RELATIVE = /^in (an?|\d{1,7}) ?([a-z]+)$/;

const EXPECTED =
  'a date and time with its offset from UTC, such as 2026-12-01T09:00:00Z, or a distance such as "in 30 minutes"; other text can be read in several ways';

/** How far ahead a text such as `in 1 min` is, in milliseconds; undefined for everything else. */
export const readDistance = (written: unknown): number | undefined => {
  if (typeof written !== 'string' || written.length > 60) return undefined;
  const [, count = '', word = ''] = RELATIVE.exec(written.trim().toLowerCase().replace(/\s+/g, ' ')) ?? [];
  const unit = UNITS.find(([form]) => form.test(word))?.[1];
  if (unit === undefined) return undefined;
  return (/^an?$/.test(count) ? 1 : Number(count)) * unit;
};

/**
 * When an email is to be sent, of what Resend takes as `scheduled_at`: a moment, or one of its English forms where that leaves no doubt.
 * "tomorrow at 9am" does: nobody says where. `after` gives the moment at a distance from now.
 */
export const readScheduledAt = (
  written: unknown,
  after: (milliseconds: number) => Date,
  place: string,
): { readonly sendAt: string } | { readonly problem: Problem } => {
  const distance = readDistance(written);
  const due = distance === undefined ? undefined : after(distance);
  // Beyond that a time is written in another form.
  if (due !== undefined && due.getUTCFullYear() <= 9999) return { sendAt: due.toISOString() };
  const read = typeof written === 'string' ? readSendAt(written.trim()) : { fault: describe(written) };
  return 'time' in read
    ? { sendAt: read.time.toISOString() }
    : {
        problem: {
          code: 'SEND_AT_INVALID',
          pointer: `${place}scheduled_at`,
          expected: EXPECTED,
          received: read.fault,
        },
      };
};
