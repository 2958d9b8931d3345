import ICAL from 'ical.js';
import { hasReadableRules } from './calendar-zone.ts';
import type { CapturedMail } from './captured-mail.ts';

/** What the calendar part of an email says, as a mail client would show it. */
export type Invitation = {
  readonly method: string;
  readonly ics: string;
  readonly event?: CalendarEvent;
  readonly furtherEvents: number;
  /** Why mail clients can show it differently, or not at all. */
  readonly notes: readonly string[];
};

type CalendarEvent = {
  readonly summary: string;
  readonly location: string;
  readonly status: string;
  readonly start?: CalendarTime;
  /** For days without a time: the day after the last one. */
  readonly end?: CalendarTime;
  /** The recurrence rule as written. */
  readonly repeats: string;
  readonly organizer?: Participant;
  readonly attendees: readonly Participant[];
};

type CalendarTime = {
  /** `2026-03-02T10:00:00` on the clocks of the zone, or a day. */
  readonly local: string;
  /** Empty if it is the same on every clock. */
  readonly zone: string;
  /** In UTC, if the calendar defines the zone. */
  readonly instant?: string;
};

type Participant = {
  readonly name: string;
  readonly address: string;
  readonly role: string;
  readonly reply: string;
};

/** Of RFC 5545 and RFC 5546, what the page shows. Everything else is not even parsed. */
const READ = new Set(
  ['BEGIN', 'END', 'METHOD', 'SUMMARY', 'LOCATION', 'STATUS', 'DTSTART', 'DTEND', 'DURATION', 'RRULE']
    .concat(['ORGANIZER', 'ATTENDEE', 'TZID', 'TZOFFSETFROM', 'TZOFFSETTO', 'RDATE'])
    .map((name) => name.toLowerCase()),
);
/** The parser takes quadratic time over the parameters of one line. */
const LONGEST_LINE = 4096;
const LONGEST_CALENDAR = 1024 * 1024;
/** The library adds a duration to a time month by month. */
const LONGEST_EVENT_SECONDS = 10 * 366 * 86_400;
/** A time zone is worked out year by year. */
const YEARS = { first: 1900, last: 2200 };

/** The invitation of an email; undefined where it has none. Never throws: what cannot be read is a note. */
export const invitationOf = ({ calendar }: CapturedMail): Invitation | undefined => {
  if (calendar === undefined) return undefined;
  const method = calendar.method.toUpperCase();
  const unread = { method, ics: calendar.ics, furtherEvents: 0 };
  if (calendar.ics.length > LONGEST_CALENDAR)
    return { ...unread, notes: ['The calendar is larger than 1 MB and is not shown as an event.'] };
  try {
    const root = new ICAL.Component(ICAL.parse(linesToRead(calendar.ics)));
    if (root.name !== 'vcalendar') return { ...unread, notes: [NOT_A_CALENDAR] };
    const [first, ...others] = root.getAllSubcomponents('vevent');
    const event = first && toEvent(first);
    return {
      ...unread,
      ...(event && { event }),
      furtherEvents: others.length,
      notes: notesOn({ method, inside: textOf(root, 'method').toUpperCase(), event }),
    };
  } catch {
    return { ...unread, notes: [NOT_A_CALENDAR] };
  }
};

const NOT_A_CALENDAR =
  'The calendar cannot be read as iCalendar (RFC 5545), so mail clients do not show an invitation. Its text is in the Calendar tab.';

const linesToRead = (ics: string): string =>
  ics
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)
    .filter(
      (line) =>
        line.length <= LONGEST_LINE && READ.has(line.slice(0, line.search(/[;:]/)).trim().toLowerCase()),
    )
    .join('\r\n');

const toEvent = (event: ICAL.Component): CalendarEvent => {
  const start = timeOf(event, 'dtstart');
  const end = timeOf(event, 'dtend') ?? endOf(event, start);
  const organizer = event.getFirstProperty('organizer');
  return {
    summary: textOf(event, 'summary'),
    location: textOf(event, 'location'),
    status: textOf(event, 'status').toUpperCase(),
    ...(start && { start: toCalendarTime(event, 'dtstart', start) }),
    ...(end && { end: toCalendarTime(event, event.hasProperty('dtend') ? 'dtend' : 'dtstart', end) }),
    repeats: event.getFirstPropertyValue('rrule')?.toString() ?? '',
    ...(organizer && { organizer: toParticipant(organizer) }),
    attendees: event.getAllProperties('attendee').map(toParticipant),
  };
};

const textOf = (component: ICAL.Component, name: string): string => {
  const value = component.getFirstPropertyValue(name);
  return typeof value === 'string' ? value : '';
};

const timeOf = (component: ICAL.Component, name: string): ICAL.Time | undefined => {
  const value = component.getFirstPropertyValue(name);
  return value instanceof ICAL.Time ? value : undefined;
};

/** RFC 5545, 3.6.1: without an end, a day lasts a day, and a time has no length. */
const endOf = (event: ICAL.Component, start: ICAL.Time | undefined): ICAL.Time | undefined => {
  const length = event.getFirstPropertyValue('duration');
  if (!start) return undefined;
  const end = start.clone();
  if (length instanceof ICAL.Duration) {
    if (Math.abs(length.toSeconds()) > LONGEST_EVENT_SECONDS) return undefined;
    end.addDuration(length);
    return end;
  }
  if (!start.isDate) return undefined;
  end.adjust(1, 0, 0, 0);
  return end;
};

const toCalendarTime = (event: ICAL.Component, name: string, time: ICAL.Time): CalendarTime => {
  const named = event.getFirstProperty(name)?.getFirstParameter('tzid');
  const zone = time.isDate ? '' : time.zone === ICAL.Timezone.utcTimezone ? 'UTC' : (named ?? '');
  const local = time.isDate ? time.toString() : time.toString().replace(/Z$/, '');
  return isInstantKnown(time) ? { local, zone, instant: time.toJSDate().toISOString() } : { local, zone };
};

const isInstantKnown = ({ isDate, zone, year }: ICAL.Time): boolean => {
  if (isDate || zone === ICAL.Timezone.localTimezone) return false;
  if (year < YEARS.first || year > YEARS.last) return false;
  return zone === ICAL.Timezone.utcTimezone || (zone.component !== null && hasReadableRules(zone.component));
};

const toParticipant = (property: ICAL.Property): Participant => {
  const of = (name: string) => {
    const value = property.getFirstParameter(name);
    return typeof value === 'string' ? value : '';
  };
  return {
    name: of('cn'),
    address: String(property.getFirstValue() ?? '').replace(/^mailto:/i, ''),
    role: of('role').toUpperCase(),
    reply: of('partstat').toUpperCase(),
  };
};

const notesOn = ({
  method,
  inside,
  event,
}: {
  readonly method: string;
  readonly inside: string;
  readonly event: CalendarEvent | undefined;
}): string[] => {
  const start = event?.start;
  return [
    event === undefined && 'The calendar has no event (VEVENT).',
    event !== undefined && start === undefined && 'The event has no valid start (DTSTART).',
    method !== inside &&
      `The method of the email part is ${method || 'missing'}, but that of the calendar is ${inside || 'missing'}. Mail clients show an invitation only if both are the same.`,
    start !== undefined &&
      !['', 'UTC'].includes(start.zone) &&
      start.instant === undefined &&
      `The calendar does not define the time zone "${start.zone}" (VTIMEZONE) in a form that the inbox can read, so calendars can show another time.`,
  ].filter((note) => note !== false);
};
