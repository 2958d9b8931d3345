import fc from 'fast-check';
import ICAL from 'ical.js';
import { describe, expect, test } from 'vitest';
import { isCalendarFile, redirectCalendar } from '../../../src/lib/sending/redirect-calendar.ts';
import { anInvitation } from '../../support/an-invitation.ts';

const ROLES = { organizer: 'noreply@contoso.example', attendee: 'test-inbox@contoso.example' };

const redirected = (ics: string): string => {
  const written = redirectCalendar(ics, ROLES);
  if (written === undefined) throw new TypeError('expected a calendar');
  return written;
};

/** As a reader of calendars that is not ours takes it. */
const eventOf = (ics: string): ICAL.Component => {
  const event = new ICAL.Component(ICAL.parse(redirected(ics))).getFirstSubcomponent('vevent');
  if (event === null) throw new TypeError('expected an event');
  return event;
};
const valuesOf = (event: ICAL.Component, name: string) =>
  event.getAllProperties(name).map((property) => property.getFirstValue());

test('an invitation can be answered to the sender alone, by the one recipient it has', () => {
  const event = eventOf(anInvitation({ ORGANIZER: 'mailto:ceo@to.example' }));
  expect(valuesOf(event, 'organizer')).toEqual(['mailto:noreply@contoso.example']);
  expect(valuesOf(event, 'attendee')).toEqual(['mailto:test-inbox@contoso.example']);
});

describe('nobody else is left in it, however they are written', () => {
  const PEOPLE = {
    'several attendees': 'ATTENDEE:mailto:a@to.example\r\nATTENDEE:mailto:b@to.example',
    'an attendee over several lines': 'ATTENDEE;CN="Chan, T\r\n ai-man";RSVP=TRUE:mailto:a\r\n\t@to.example',
    'parameters with colons and semicolons in quotes':
      'ATTENDEE;CN="x:mailto:a@to.example;RSVP=NO";RSVP=TRUE:MAILTO:a@to.example',
    delegates:
      'ATTENDEE;DELEGATED-TO="mailto:a@to.example";SENT-BY="mailto:b@to.example";MEMBER="mailto:l@to.example":mailto:c@to.example',
    'an address in a parameter of Apple': 'ATTENDEE;EMAIL=a@to.example;X-NUM-GUESTS=0:urn:uuid:1',
    'small letters': 'attendee;rsvp=true:mailto:a@to.example\r\norganizer:mailto:a@to.example',
    'the sender that Outlook notes': 'X-MS-OLK-SENDER;CN="a@to.example":mailto:a@to.example',
    'a comment of an attendee':
      'X-CALENDARSERVER-ATTENDEE-COMMENT;X-CALENDARSERVER-ATTENDEE-REF="mailto:a@to.example":no',
    'an alarm by email':
      'BEGIN:VALARM\r\nACTION:EMAIL\r\nTRIGGER:-PT15M\r\nATTENDEE:mailto:a@to.example\r\nSUMMARY:a\r\nDESCRIPTION:b\r\nEND:VALARM',
    'a participant of RFC 9073':
      'BEGIN:PARTICIPANT\r\nUID:p\r\nPARTICIPANT-TYPE:ACTIVE\r\nCALENDAR-ADDRESS:mailto:a@to.example\r\nEND:PARTICIPANT',
    'a quotation mark that never ends': 'ATTENDEE;CN="x:mailto:a@to.example',
    'a line that ends in CR alone': 'COMMENT:x\rATTENDEE:mailto:a@to.example\rCOMMENT:y',
  };

  test.each(Object.entries(PEOPLE))('%s', (_, lines) => {
    const ics = anInvitation().replace('END:VEVENT', `${lines}\r\nEND:VEVENT`);
    const written = redirected(ics);
    expect(written.replaceAll('\r\n ', '')).not.toContain('to.example');
    expect(() => ICAL.parse(written)).not.toThrow();
  });
});

test('times, texts, the zone and what an attendee is asked for stay', () => {
  const DESCRIPTION = `薪資 ${'長'.repeat(90)}: see mailto:help@to.example\\, or "call"`;
  const event = eventOf(
    anInvitation({
      SUMMARY: 'Pay: "day"',
      DESCRIPTION,
      'DTEND;TZID="Asia/Hong Kong"': '20260310T110000',
      ATTENDEE: undefined,
      'ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Chan': 'mailto:chan@to.example',
    }),
  );
  expect(valuesOf(event, 'summary')).toEqual(['Pay: "day"']);
  expect(valuesOf(event, 'description')).toEqual([DESCRIPTION.replace('\\,', ',')]);
  expect(event.getFirstProperty('dtend')?.getParameter('tzid')).toBe('Asia/Hong Kong');
  const attendee = event.getFirstProperty('attendee');
  expect(['role', 'partstat', 'rsvp', 'cn'].map((one) => attendee?.getParameter(one))).toEqual([
    'OPT-PARTICIPANT',
    'NEEDS-ACTION',
    'TRUE',
    undefined,
  ]);
});

test('lines have at most 75 octets, and no character is cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), (text) => {
      const summary = text.replaceAll(/[\p{Cc}\\;,\u2028\u2029]/gu, 'x');
      const written = redirected(anInvitation({ SUMMARY: summary }));
      for (const line of written.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
      expect(valuesOf(eventOf(anInvitation({ SUMMARY: summary })), 'summary')).toEqual([summary]);
    }),
    { numRuns: 100 },
  );
});

test('what is no calendar is told as that', () => {
  for (const text of ['', 'hello', '\u0000', ' BEGIN:VCALENDAR', 'PK\u0003'])
    expect(redirectCalendar(text, ROLES)).toBeUndefined();
});

test('a line of a million characters is read as any other', () => {
  const ics = anInvitation({ COMMENT: 'a;"'.repeat(300_000) });
  expect(redirected(ics).length).toBeGreaterThan(900_000);
});

test.each([
  ['text/calendar; method=REQUEST', 'a.bin', true],
  ['TEXT/X-VCALENDAR', '', true],
  ['application/ics', 'a', true],
  ['application/ms-tnef', 'a', true],
  ['application/octet-stream', 'invite.ICS', true],
  ['application/octet-stream', 'invite.ics . "', true],
  ['application/octet-stream', 'winmail.dat', true],
  ['text/plain', 'physics.txt', false],
  ['text/calendars', 'a.pdf', false],
])('a file %s with the name %s can be opened as an invitation: %s', (type, name, expected) => {
  expect(isCalendarFile(type, name)).toBe(expected);
});
