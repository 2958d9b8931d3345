import { describe, expect, test } from 'vitest';
import { invitationOf } from '../../../src/lib/inbox/invitation.ts';
import { aCapturedMail, anInvitation } from '../../local/inbox/captured-mails.ts';

const read = (ics: string, method = 'REQUEST') =>
  invitationOf(aCapturedMail({ calendar: { method, ics } })) ?? expect.unreachable();

test('an email without a calendar has no invitation', () => {
  expect(invitationOf(aCapturedMail())).toBeUndefined();
});

test('an invitation says what, when in its own zone and in UTC, where, who invites and who is invited', () => {
  const ics = anInvitation();
  expect(read(ics)).toEqual({
    method: 'REQUEST',
    ics,
    event: {
      summary: 'Quarterly review, 薪資',
      location: 'Room 4',
      status: '',
      start: {
        local: '2026-07-02T10:00:00',
        zone: 'W. Europe Standard Time',
        instant: '2026-07-02T08:00:00.000Z',
      },
      end: {
        local: '2026-07-02T11:30:00',
        zone: 'W. Europe Standard Time',
        instant: '2026-07-02T09:30:00.000Z',
      },
      repeats: '',
      organizer: { name: 'Byron, Ada', address: 'ada@contoso.example', role: '', reply: '' },
      attendees: [
        { name: 'Ming', address: 'ming@contoso.example', role: 'REQ-PARTICIPANT', reply: 'NEEDS-ACTION' },
        { name: '', address: 'mei@contoso.example', role: 'OPT-PARTICIPANT', reply: 'ACCEPTED' },
      ],
    },
    furtherEvents: 0,
    notes: [],
  });
});

describe('times', () => {
  const berlin = (local: string, instant?: string) => ({
    local,
    zone: 'W. Europe Standard Time',
    ...(instant && { instant }),
  });

  test.each([
    [
      'in winter',
      ['DTSTART;TZID=W. Europe Standard Time:20260102T100000'],
      berlin('2026-01-02T10:00:00', '2026-01-02T09:00:00.000Z'),
      undefined,
    ],
    [
      'in UTC',
      ['DTSTART:20260702T100000Z', 'DURATION:PT90M'],
      { local: '2026-07-02T10:00:00', zone: 'UTC', instant: '2026-07-02T10:00:00.000Z' },
      { local: '2026-07-02T11:30:00', zone: 'UTC', instant: '2026-07-02T11:30:00.000Z' },
    ],
    [
      'the same on every clock',
      ['DTSTART:20260702T100000'],
      { local: '2026-07-02T10:00:00', zone: '' },
      undefined,
    ],
    [
      'a whole day',
      ['DTSTART;VALUE=DATE:20260702'],
      { local: '2026-07-02', zone: '' },
      { local: '2026-07-03', zone: '' },
    ],
    [
      'of no event that people plan',
      ['DTSTART:20260702T100000Z', 'DURATION:P99999999999W'],
      expect.anything(),
      undefined,
    ],
  ])('%s', (_what, lines, start, end) => {
    const { event } = read(anInvitation(lines));
    expect([event?.start, event?.end]).toEqual([start, end]);
  });

  test('in a zone that the calendar does not define are shown as written, with a note', () => {
    const { event, notes } = read(anInvitation(['DTSTART;TZID=Asia/Hong_Kong:20260702T100000']));
    expect(event?.start).toEqual({ local: '2026-07-02T10:00:00', zone: 'Asia/Hong_Kong' });
    expect(notes).toEqual([expect.stringContaining('does not define the time zone "Asia/Hong_Kong"')]);
  });
});

test('a cancellation and its recurrence keep their words', () => {
  const { method, event, notes } = read(
    anInvitation(['DTSTART:20260702T100000Z', 'STATUS:CANCELLED', 'RRULE:FREQ=WEEKLY;BYDAY=MO'], 'CANCEL'),
    'cancel',
  );
  expect([method, event?.status, event?.repeats, notes]).toEqual([
    'CANCEL',
    'CANCELLED',
    'FREQ=WEEKLY;BYDAY=MO',
    [],
  ]);
});

test('only the first event is shown, and the others are counted', () => {
  const second = 'BEGIN:VEVENT\r\nSUMMARY:second\r\nEND:VEVENT\r\nEND:VCALENDAR';
  const { event, furtherEvents } = read(anInvitation().replace('END:VCALENDAR', second));
  expect([event?.summary, furtherEvents]).toEqual(['Quarterly review, 薪資', 1]);
});

describe('a note says why mail clients can show it differently', () => {
  test.each([
    ['not a calendar', 'Hello', /cannot be read as iCalendar/],
    ['cut off', anInvitation().slice(0, 700), /cannot be read as iCalendar/],
    ['a contact', 'BEGIN:VCARD\r\nEND:VCARD', /cannot be read as iCalendar/],
    ['ends that begin nothing', 'END:VCALENDAR\r\n'.repeat(9), /cannot be read as iCalendar/],
    ['no event', 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR', /has no event/],
    ['no start', anInvitation(['SUMMARY:x']), /no valid start/],
    ['another method', anInvitation([], 'PUBLISH'), /is REQUEST, but that of the calendar is PUBLISH/],
    ['more than a megabyte', 'x'.repeat(1024 * 1024 + 1), /larger than 1 MB/],
  ])('%s', (_what, ics, words) => {
    expect(read(ics).notes).toEqual([expect.stringMatching(words)]);
  });
});

describe('a hostile calendar is read within the time of a test', () => {
  const zoned = (rules: readonly string[]) =>
    anInvitation(['DTSTART;TZID=Evil:20260702T100000']).replace(
      'BEGIN:VEVENT',
      [
        'BEGIN:VTIMEZONE',
        'TZID:Evil',
        ...rules.flatMap((rule) => [
          'BEGIN:STANDARD',
          'DTSTART:16010101T000000',
          'TZOFFSETFROM:+0000',
          'TZOFFSETTO:+0100',
          rule,
          'END:STANDARD',
        ]),
        'END:VTIMEZONE',
        'BEGIN:VEVENT',
      ].join('\r\n'),
    );

  test.each([
    ['a zone whose clocks change each second', zoned(['RRULE:FREQ=SECONDLY'])],
    [
      'a zone whose clocks change on a day that never is',
      zoned(['RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30']),
    ],
    ['a zone whose clocks change on a fifth Sunday', zoned(['RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=5SU'])],
    [
      'a zone whose clocks change at each second of each day',
      zoned([`RRULE:FREQ=YEARLY;BYSECOND=${Array.from({ length: 60 }, (_, n) => n).join(',')}`]),
    ],
    [
      'a zone with more rules than clocks have',
      zoned(Array.from({ length: 13 }, () => 'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU')),
    ],
    ['a zone with thousands of observances', zoned(Array.from({ length: 5000 }, () => 'TZNAME:x'))],
    [
      'a zone with thousands of dates',
      zoned([Array.from({ length: 5000 }, () => 'RDATE:20260101T000000').join('\r\n')]),
    ],
  ])('%s is not worked out', (_what, ics) => {
    const { event, notes } = read(ics);
    expect(event?.start).toEqual({ local: '2026-07-02T10:00:00', zone: 'Evil' });
    expect(notes).toEqual([expect.stringContaining('"Evil"')]);
  });

  test.each([
    ['a line of a megabyte', `SUMMARY${';a=b'.repeat(250_000)}:x`],
    ['a line folded a hundred thousand times', `SUMMARY:x${'\r\n y'.repeat(100_000)}`],
  ])('%s is left out', (_what, line) => {
    expect(read(anInvitation([line, 'DTSTART:20260702T100000Z'])).event).toMatchObject({
      summary: '',
      start: { local: '2026-07-02T10:00:00' },
    });
  });

  test.each([
    ['components within components', 'BEGIN:VEVENT\r\n'.repeat(70_000)],
    ['attendees without end', anInvitation(Array.from({ length: 20_000 }, () => 'ATTENDEE:mailto:a@b.c'))],
    ['a year that no clock shows', anInvitation(['DTSTART;TZID=W. Europe Standard Time:99991231T235959'])],
    ['names of the language', anInvitation(['DTSTART;__proto__=x;constructor=y;VALUE=constructor:20260702'])],
  ])('%s', (_what, ics) => {
    expect(read(ics).ics).toBe(ics);
  });
});
