import { unfoldedLines } from '../mail/calendar-text.ts';

/** A calendar names its organizer, who gets the answers, and its attendees, who get what comes after. */
export type CalendarRoles = { readonly organizer: string; readonly attendee: string };

/** RFC 5545, 3.1. */
const MAX_OCTETS = 75;
/** Parameters of an attendee that name nobody. */
const NAMES_NOBODY = /^(?:CUTYPE|ROLE|PARTSTAT|RSVP)=[A-Z-]+$/i;
const MAILTO = /mailto\s*:/i;
const BEGINS_WITH_MAILTO = /^\s*mailto\s*:/i;

type ContentLine = { readonly name: string; readonly parameters: string; readonly value: string };

/** The parts of a content line. A colon inside of quotes ends nothing; undefined for what readers could take in two ways. */
const readLine = (line: string): ContentLine | undefined => {
  const name = /^[A-Z\d-]+(?=[;:])/i.exec(line)?.[0];
  if (name === undefined) return undefined;
  let inQuotes = false;
  for (let at = name.length; at < line.length; at += 1) {
    if (line[at] === '"') inQuotes = !inQuotes;
    else if (line[at] === ':' && !inQuotes)
      return { name: name.toUpperCase(), parameters: line.slice(name.length, at), value: line.slice(at + 1) };
  }
  return undefined;
};

/** Folded so that no character is cut. */
const folded = (line: string): string => {
  let lines = '';
  let octets = 0;
  for (const character of line) {
    const more = Buffer.byteLength(character);
    if (octets + more > MAX_OCTETS) {
      lines += '\r\n ';
      octets = 1;
    }
    lines += character;
    octets += more;
  }
  return lines;
};

/**
 * The calendar with the same times and texts, in which nobody is left whom an answer, an alarm or an update could reach: the
 * organizer is the sender of the email, and the one attendee of each component its only recipient. Undefined for what is not a calendar.
 */
export const redirectCalendar = (ics: string, roles: CalendarRoles): string | undefined => {
  const lines = unfoldedLines(ics);
  if (lines === undefined || lines[0]?.text.trim().toUpperCase() !== 'BEGIN:VCALENDAR') return undefined;
  const written: string[] = [];
  /** Whether each open component has its attendee. */
  const attended: boolean[] = [];
  for (const { text } of lines) {
    const line = readLine(text);
    // A lenient reader could still find an attendee in it.
    if (line === undefined) continue;
    const { name, parameters, value } = line;
    switch (name) {
      case 'ORGANIZER':
        written.push(`ORGANIZER:mailto:${roles.organizer}`);
        break;
      case 'ATTENDEE':
        if (attended.at(-1) !== true) {
          const kept = parameters.split(';').filter((one) => NAMES_NOBODY.test(one));
          written.push(`${['ATTENDEE', ...kept].join(';')}:mailto:${roles.attendee}`);
          attended[attended.length - 1] = true;
        }
        break;
      case 'BEGIN':
        attended.push(false);
        written.push(text);
        break;
      case 'END':
        attended.pop();
        written.push(text);
        break;
      default:
        // Other properties name people too: delegates, participants (RFC 9073), and those of Outlook and Apple.
        if (!MAILTO.test(parameters) && !BEGINS_WITH_MAILTO.test(value)) written.push(text);
    }
  }
  return written.map((line) => `${folded(line)}\r\n`).join('');
};

/**
 * What a calendar says of people: its organizer, its attendees, and whatever else names an address that a program writes to. Undefined for
 * what is not a calendar.
 */
export const peopleIn = (ics: string): readonly string[] | undefined => {
  const lines = unfoldedLines(ics);
  if (lines === undefined || lines[0]?.text.trim().toUpperCase() !== 'BEGIN:VCALENDAR') return undefined;
  return lines.flatMap(({ text }) => {
    const line = readLine(text);
    // A lenient reader could find an attendee in what is not a content line.
    if (line === undefined) return [text];
    const { name, parameters, value } = line;
    if (name === 'ORGANIZER' || name === 'ATTENDEE') return [parameters, value];
    return MAILTO.test(parameters) || BEGINS_WITH_MAILTO.test(value) ? [parameters, value] : [];
  });
};

/** Files from which a mail client opens an invitation, and answers it. */
const CALENDAR_TYPE = /^\s*(?:text\/(?:x-v?)?calendar|application\/(?:ics|(?:vnd\.)?ms-tnef))(?![\w.-])/i;
const CALENDAR_NAME = /(?:\.(?:ics|vcs|ical|icalendar|ifb|hol)|winmail\.dat)[\s"'.]*$/i;

/** Whether a mail client may open a file as an invitation, by its type or its name. */
export const isCalendarFile = (contentType: string, filename: string): boolean =>
  CALENDAR_TYPE.test(contentType) || CALENDAR_NAME.test(filename);
