import { describe, expect, test } from 'vitest';
import { readDistance, readScheduledAt } from '../../../src/lib/facades/resend-scheduled-at.ts';

const NOW = Date.parse('2026-11-26T12:00:00.000Z');
const after = (milliseconds: number) => new Date(NOW + milliseconds);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('scheduled_at', () => {
  test.each([
    ['in 1 min', MINUTE],
    ['In 30 Minutes', 30 * MINUTE],
    ['in 5m', 5 * MINUTE],
    [' in  2   hours ', 2 * HOUR],
    ['in an hour', HOUR],
    ['in a day', 24 * HOUR],
    ['in 1 week', 7 * 24 * HOUR],
    ['in 10 secs', 10_000],
  ])('is read as a distance: %s', (text, distance) => {
    expect(readDistance(text)).toBe(distance);
    expect(readScheduledAt(text, after, '')).toEqual({ sendAt: after(distance).toISOString() });
  });

  test.each([
    'tomorrow at 9am',
    'Friday at 3pm ET',
    'in 1 month',
    'in two hours',
    'in 1.5 hours',
    'in -1 min',
    'in 1 hour tomorrow',
    '1 min',
    'now',
    'in 12345678 days',
    '',
  ])('is refused where it can be read in several ways: %s', (text) => {
    expect(readScheduledAt(text, after, '[0].')).toMatchObject({
      problem: { code: 'SEND_AT_INVALID', pointer: '[0].scheduled_at' },
    });
  });

  test('beyond what a clock can show is refused', () => {
    expect(readScheduledAt('in 9999999 weeks', after, '')).toHaveProperty('problem');
  });
});
