import * as z from 'zod';
import { isObject } from './absent.ts';
import { type CalendarFacts, readCalendar } from './calendar-text.ts';
import { CALENDAR_PLACE, sortFields, unknownFields } from './field-names.ts';
import { report, text } from './schema-faults.ts';
import { bodyFault, type Fault } from './text-rules.ts';

/** RFC 5546, 1.4. */
const METHODS = [
  'PUBLISH',
  'REQUEST',
  'REPLY',
  'ADD',
  'CANCEL',
  'REFRESH',
  'COUNTER',
  'DECLINECOUNTER',
] as const;
/** An event with a few hundred attendees has some 50 KB. */
const MAX_ICS = 1_000_000;

const invalid = (expected: string): Fault => ({ code: 'CALENDAR_INVALID', expected });

const icsFault = (ics: string): Fault | undefined => {
  if (ics.length > MAX_ICS) return invalid(`at most ${MAX_ICS} characters`);
  const fault = bodyFault(ics);
  if (fault !== undefined) return fault;
  const facts = readCalendar(ics);
  return typeof facts === 'string' ? invalid(facts) : outlineFault(facts);
};

const outlineFault = ({ hasVersion2, components }: CalendarFacts): Fault | undefined => {
  if (!hasVersion2) return invalid('a calendar with VERSION:2.0');
  if (components.every(({ name }) => name === 'VTIMEZONE'))
    return invalid('a calendar with an event (VEVENT), or another component that is not VTIMEZONE');
  return undefined;
};

/** RFC 5546, 3.2: without these Outlook shows no event, or one that nobody can answer. */
const missingProperty = (method: string, { components }: CalendarFacts): string | undefined => {
  const needed = ['UID', ...(['REQUEST', 'CANCEL'].includes(method) ? ['ORGANIZER'] : [])];
  if (method === 'REQUEST') needed.push('DTSTART');
  return components
    .filter(({ name }) => name === 'VEVENT')
    .flatMap(({ properties }) => needed.filter((name) => !properties.has(name)))[0];
};

const fields = z
  .object({
    method: z.preprocess(
      (written) =>
        typeof written === 'string' && written.length < 20 ? written.trim().toUpperCase() : written,
      z.enum(METHODS),
    ),
    ics: text(icsFault),
  })
  .check(({ value: { method, ics }, issues }) => {
    const facts = readCalendar(ics);
    if (typeof facts === 'string') return;
    const [written, ...more] = facts.methods;
    if (written !== method || more.length > 0)
      report(
        { issues },
        invalid(`METHOD:${method} exactly once in the calendar, as the field \`method\` says`),
        ics,
        ['ics'],
        written === undefined ? 'a calendar without METHOD' : 'a calendar with another METHOD, or several',
      );
    const missing = missingProperty(method, facts);
    if (missing !== undefined)
      report({ issues }, invalid(`${missing} in each VEVENT`), ics, ['ics'], `a VEVENT without ${missing}`);
  });

const FIELDS = Object.keys(fields.shape);

/** An invitation, its answer or its cancellation: arrives as one that mail clients can act on. */
export const calendar = z.preprocess((written, context) => {
  if (!isObject(written)) return written;
  const { known, unknown } = sortFields(written, FIELDS);
  for (const { name, received, ...fault } of unknownFields(unknown, CALENDAR_PLACE, FIELDS))
    report(context, fault, written, name === undefined ? [] : [name], received, true);
  return known;
}, fields);
