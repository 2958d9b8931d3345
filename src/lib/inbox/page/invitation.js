import { element, icon } from './elements.js';
import { address, fewOf } from './people.js';
import { count, subjectOf } from './wording.js';

/** RFC 5546, 1.4. */
const METHODS = {
  REQUEST: 'Invitation',
  CANCEL: 'Cancellation',
  REPLY: 'Reply to an invitation',
  PUBLISH: 'Event',
  ADD: 'Further dates of an event',
  REFRESH: 'Request for the latest version of an event',
  COUNTER: 'Proposal of another time',
  DECLINECOUNTER: 'Rejected proposal of another time',
};

/** RFC 5545, 3.2.16 and 3.2.12. */
const WORDS = {
  CHAIR: 'chair',
  'OPT-PARTICIPANT': 'optional',
  'NON-PARTICIPANT': 'for information',
  'NEEDS-ACTION': 'no reply yet',
  ACCEPTED: 'accepted',
  DECLINED: 'declined',
  TENTATIVE: 'tentative',
  DELEGATED: 'delegated',
  CONFIRMED: 'confirmed',
  CANCELLED: 'cancelled',
};

const DAY_MS = 86_400_000;

/** An invitation as a mail client shows it, and why one may not. */
export const invitationCard = (invitation) => {
  if (!invitation) return null;
  const { method, event, furtherEvents, notes } = invitation;
  const kind = METHODS[method] ?? 'Calendar';
  return element(
    'section',
    { class: 'invitation', 'aria-label': kind, 'data-method': method },
    element(
      'p',
      { class: 'method' },
      icon('calendar'),
      element('b', {}, kind),
      method && element('code', {}, method),
    ),
    event && element('h3', {}, subjectOf({ Subject: event.summary })),
    event && element('dl', { class: 'envelope' }, ...facts(event)),
    furtherEvents > 0 &&
      element('p', { class: 'aside' }, `${count(furtherEvents, 'more event')} in the Calendar tab.`),
    ...notes.map((note) => element('p', { class: 'warning' }, note)),
  );
};

const facts = ({ start, end, location, status, repeats, organizer, attendees }) =>
  [
    start && row('When', ...when(start, end)),
    location && row('Where', location),
    status && row('Status', wordOf(status)),
    repeats && row('Repeats', element('code', {}, repeats)),
    organizer && row('Organizer', person(organizer)),
    attendees.length > 0 && row('Attendees', ...fewOf(attendees, person)),
  ].filter(Boolean);

const row = (name, ...value) => element('div', {}, element('dt', {}, name), element('dd', {}, ...value));

const person = ({ name, address: Address, role, reply }) => {
  const words = [role !== 'REQ-PARTICIPANT' && wordOf(role), wordOf(reply)].filter(Boolean);
  return address(
    { Name: name, Address },
    words.length > 0 && element('span', { class: 'aside' }, ` · ${words.join(' · ')}`),
  );
};

const wordOf = (word) => WORDS[word] ?? word.toLowerCase();

/** First on the clocks of the event, then on those of the reader. */
const when = (start, end) => {
  const isDay = !start.local.includes('T');
  const own = range(start.local, end?.local, isDay);
  if (isDay) return [element('span', {}, own), element('span', { class: 'aside' }, ' all day')];
  const zone = start.zone === '' ? 'on the clock of each reader' : start.zone;
  const here = start.instant && hereRange(start.instant, end?.instant);
  return [
    element('span', {}, own),
    element('span', { class: 'aside' }, ` ${zone}`),
    here &&
      here !== own &&
      element(
        'span',
        { class: 'here' },
        `${here} `,
        element('span', { class: 'aside' }, `${hereZone} (your time)`),
      ),
  ];
};

const hereZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const range = (start, end, isDay) => {
  const zoned = isDay ? `${start}T00:00:00Z` : `${start}Z`;
  const from = Date.parse(zoned);
  const to =
    end === undefined
      ? Number.NaN
      : Date.parse(isDay ? `${end}T00:00:00Z` : `${end}Z`) - (isDay ? DAY_MS : 0);
  return formatRange(format('UTC', isDay), { from, to, otherwise: start });
};

const hereRange = (start, end) =>
  formatRange(format(undefined, false), {
    from: Date.parse(start),
    to: end === undefined ? Number.NaN : Date.parse(end),
    otherwise: start,
  });

const format = (timeZone, isDay) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', ...(isDay ? {} : { timeStyle: 'short' }), timeZone });

const formatRange = (formatter, { from, to, otherwise }) => {
  if (Number.isNaN(from)) return otherwise;
  return to > from ? formatter.formatRange(from, to) : formatter.format(from);
};
