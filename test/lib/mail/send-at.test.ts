import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { decideSendAt, readSendAt, sendAtOf } from '../../../src/lib/mail/send-at.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const NOW = new Date('2026-11-26T08:00:00Z');
const DAY_MS = 86_400_000;

describe('a time with its offset is read as a moment', () => {
  test.each([
    ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01T09:00Z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01t09:00:00z', '2026-12-01T09:00:00.000Z'],
    ['2026-12-01T09:00:00+01:00', '2026-12-01T08:00:00.000Z'],
    ['2026-12-01T09:00:00-0330', '2026-12-01T12:30:00.000Z'],
    ['2026-12-01T00:30:00+08:00', '2026-11-30T16:30:00.000Z'],
    ['2026-12-01T09:00:00.5Z', '2026-12-01T09:00:00.500Z'],
    ['2026-12-01T09:00:00.1234567+00:00', '2026-12-01T09:00:00.123Z'],
    ['2028-02-29T23:59:59Z', '2028-02-29T23:59:59.000Z'],
  ])('%s', (written, time) => {
    expect(readSendAt(written)).toEqual({ time: new Date(time) });
    expect(readMail(aMail({ sendAt: written })).sendAt).toBe(time);
  });

  test('so that what any program writes in UTC is read as it was meant', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2026-01-01Z'), max: new Date('2099-01-01Z'), noInvalidDate: true }),
        (date) => {
          expect(readSendAt(date.toISOString())).toEqual({ time: date });
        },
      ),
    );
  });
});

describe('a time that is not one moment is refused, and the problem says what was received', () => {
  test.each<[unknown, string]>([
    ['2026-12-01T09:00:00', 'a time without its offset from UTC'],
    ['2026-12-01', 'a date without a time'],
    ['2026-12-01 09:00:00Z', 'a date and time without the letter T between them'],
    ['2026-02-29T09:00:00Z', 'a day that the calendar does not have'],
    ['2026-04-31T09:00:00Z', 'a day that the calendar does not have'],
    ['2026-13-01T09:00:00Z', 'a day that the calendar does not have'],
    ['2026-12-01T24:00:00Z', 'a time of day that no clock shows'],
    ['2026-12-31T23:59:60Z', 'a time of day that no clock shows'],
    ['2026-12-01T09:00:00+15:00', 'text of 25 characters in another form'],
    ['1796115600', 'a number of 10 digits'],
    ['in 2 hours', 'text of 10 characters in another form'],
    ['Tue, 01 Dec 2026 09:00:00 GMT', 'text of 29 characters in another form'],
    [1_796_115_600, 'number'],
    [{ at: 'noon' }, 'object'],
  ])('%j', (sendAt, received) => {
    const read = () => readMail(aMail({ sendAt }));
    expect(errorOf(read).facts.problems).toEqual([
      {
        code: 'SEND_AT_INVALID',
        pointer: '/sendAt',
        expected: expect.stringContaining('2026-12-01T09:00:00+01:00'),
        received,
      },
    ]);
  });
});

describe('an email waits', () => {
  const at = (ms: number) => new Date(NOW.getTime() + ms).toISOString();

  test.each([
    ['for a time in the future', 1000, at(1000)],
    ['for one that is exactly thirty days ahead', 30 * DAY_MS, at(30 * DAY_MS)],
    ['not for one that has passed', -1000, undefined],
    ['not for one that is long past', -4000 * DAY_MS, undefined],
  ])('%s', (_case, ms, expected) => {
    expect(decideSendAt(at(ms), NOW)).toBe(expected);
    expect(sendAtOf({ sendAt: at(ms) }, NOW)).toBe(expected);
  });

  test('for no time that is more than thirty days ahead: it is refused, with how far it is', () => {
    const refused = errorOf(() => decideSendAt(at(30 * DAY_MS + 1), NOW));
    expect(refused.facts.problems).toMatchObject([
      { pointer: '/sendAt', expected: expect.stringContaining('30 days'), received: 'a time 31 days after' },
    ]);
    expect(sendAtOf({ sendAt: at(30 * DAY_MS + 1) }, NOW)).toBeUndefined();
  });

  test.each([undefined, null, {}, { sendAt: null }, { sendAt: '' }, { sendAt: 'soon' }, 'text'])(
    'for nothing where it names no time: %j',
    (input) => expect(sendAtOf(input, NOW)).toBeUndefined(),
  );
});
