import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (calendar: unknown) => readMail(aMail({ calendar }));
const problems = (calendar: unknown) => problemsOf(() => read(calendar));
const expectedOf = (ics: string, method = 'REQUEST') =>
  errorOf(() => read({ method, ics })).facts.problems?.map(({ expected }) => expected);

describe('an invitation, an answer and a cancellation are carried', () => {
  test.each(['REQUEST', 'CANCEL', 'REPLY', 'PUBLISH'])('%s', (method) => {
    const ics = anInvitation({ METHOD: method });
    expect(read({ method, ics }).calendar).toEqual({ method, ics });
  });

  test('the method in small letters, and the calendar with LF', () => {
    const ics = anInvitation().replaceAll('\r\n', '\n');
    expect(read({ method: 'request', ics }).calendar).toEqual({ method: 'REQUEST', ics });
  });

  test('with a time zone, an alarm and folded lines', () => {
    const ics = anInvitation({
      'BEGIN:VALARM': 'TRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:a\r\n  b\r\nEND:VALARM',
    }).replace(
      'BEGIN:VEVENT',
      'BEGIN:VTIMEZONE\r\nTZID:Asia/Hong_Kong\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT',
    );
    expect(read({ method: 'REQUEST', ics }).calendar?.ics).toBe(ics);
  });
});

test('a mark of the byte order, and lines that are folded anywhere, are no reason to refuse a calendar', () => {
  const whole = anInvitation();
  const folded = whole.replaceAll(/[^\r\n]{5}(?=[^\r\n])/g, '$&\r\n ');
  expect(folded).toContain('METHO\r\n D:REQ');
  for (const ics of [`\ufeff${whole}`, folded, folded.replaceAll('\r\n', '\n')])
    expect(read({ method: 'REQUEST', ics }).calendar?.ics).toBe(ics);
  expect(expectedOf(folded, 'CANCEL')).toEqual([
    'METHOD:CANCEL exactly once in the calendar, as the field `method` says',
  ]);
});

describe('what would arrive as text or as an event that nobody can answer is refused', () => {
  const whole = anInvitation();
  test.each([
    [
      'a method that differs',
      anInvitation({ METHOD: 'CANCEL' }),
      'METHOD:REQUEST exactly once in the calendar, as the field `method` says',
    ],
    [
      'no METHOD',
      anInvitation({ METHOD: undefined }),
      'METHOD:REQUEST exactly once in the calendar, as the field `method` says',
    ],
    [
      'METHOD twice',
      whole.replace('METHOD:REQUEST', 'METHOD:REQUEST\r\nMETHOD:REQUEST'),
      'METHOD:REQUEST exactly once in the calendar, as the field `method` says',
    ],
    [
      'no event',
      'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR',
      'a calendar with an event (VEVENT), or another component that is not VTIMEZONE',
    ],
    ['an earlier version', anInvitation({ VERSION: '1.0' }), 'a calendar with VERSION:2.0'],
    ['no UID', anInvitation({ UID: undefined }), 'UID in each VEVENT'],
    ['no ORGANIZER', anInvitation({ ORGANIZER: undefined }), 'ORGANIZER in each VEVENT'],
    ['no DTSTART', anInvitation({ DTSTART: undefined }), 'DTSTART in each VEVENT'],
    ['a calendar that is cut off', whole.slice(0, -15), 'END:VCALENDAR as the last line'],
    ['something before it', `X-A:1\r\n${whole}`, 'BEGIN:VCALENDAR as the first line'],
    ['something after it', `${whole}X-A:1\r\n`, 'nothing after END:VCALENDAR; line 12 is after it'],
    ['two calendars', `${whole}${whole}`, 'nothing after END:VCALENDAR; line 12 is after it'],
    [
      'an END of another component',
      whole.replace('END:VEVENT', 'END:VTODO'),
      'END of the component that is open; line 10 ends another',
    ],
    ['a line that is none', whole.replace('UID:', 'UID '), 'lines such as NAME:value; line 5 is not one'],
    [
      'components without end',
      `BEGIN:VCALENDAR\r\n${'BEGIN:A\r\n'.repeat(100_000)}`,
      'components nested no deeper than 8 levels',
    ],
  ])('%s', (_, ics, expected) => {
    expect(expectedOf(ics)).toEqual([expected]);
  });

  test.each<[string, unknown, string[]]>([
    ['a text', 'BEGIN:VCALENDAR', ['FIELD_INVALID /calendar']],
    ['no ics', { method: 'REQUEST' }, ['FIELD_INVALID /calendar/ics']],
    ['an unknown method', { method: 'INVITE', ics: whole }, ['FIELD_INVALID /calendar/method']],
    [
      'an unknown field',
      { method: 'REQUEST', ics: whole, content: 'a' },
      ['FIELD_UNKNOWN /calendar/content'],
    ],
    ['half a character', { method: 'REQUEST', ics: `${whole}\ud83d` }, ['TEXT_MALFORMED /calendar/ics']],
    [
      'a calendar without end',
      { method: 'REQUEST', ics: 'a'.repeat(1_000_001) },
      ['CALENDAR_INVALID /calendar/ics'],
    ],
  ])('%s', (_, calendar, expected) => {
    expect(problems(calendar)).toEqual(expected);
  });
});
