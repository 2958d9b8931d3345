import { readCalendar } from '../mail/calendar-text.ts';
import { CONTENT } from './sendgrid-fields.ts';
import { type Findings, isNothing, listIn, objectIn, tell } from './sendgrid-findings.ts';

/** The bodies of an email, by the fields of ours. */
export type Bodies = { readonly text?: unknown; readonly html?: unknown; readonly ics?: unknown };

const BODIES: ReadonlyMap<string, { readonly body: keyof Bodies; readonly pointer: string }> = new Map([
  ['text/plain', { body: 'text', pointer: '/text' }],
  ['text/html', { body: 'html', pointer: '/html' }],
  ['text/calendar', { body: 'ics', pointer: '/calendar' }],
]);

const TYPES = 'text/plain, text/html or text/calendar';

/** Reads `content`. A body that is empty says nothing, as clients write one that was not given. */
export const readContent = (findings: Findings, value: unknown): Bodies => {
  const bodies: { -readonly [Body in keyof Bodies]: unknown } = {};
  findings.places.set('/text', 'content');
  for (const [index, one] of listIn(findings, value, 'content').entries()) {
    const place = `content.${index}`;
    const content = objectIn(findings, one, place, CONTENT);
    if (content === undefined || isNothing(content.value)) continue;
    const { type } = content;
    const essence = typeof type === 'string' ? (type.split(';', 1)[0] ?? '').trim().toLowerCase() : '';
    const known = BODIES.get(essence);
    if (known === undefined)
      tell(
        findings,
        `${place}.type`,
        essence === 'text/x-amp-html' ? `${TYPES}: the relay does not send AMP` : TYPES,
        type,
        essence === '' ? 'FIELD_INVALID' : 'FACADE_FIELD_NOT_CARRIED',
      );
    else if (known.body in bodies) tell(findings, `${place}.type`, 'each type of content once', type);
    else {
      bodies[known.body] = content.value;
      findings.places.set(known.pointer, `${place}.value`);
      if (known.body === 'ics') {
        findings.places.set('/calendar/ics', `${place}.value`);
        findings.places.set('/calendar/method', `${place}.value`);
      }
    }
  }
  return bodies;
};

/** Longer ones are refused without being read. */
const MAX_READ = 1_000_000;

/** An invitation of our email: its method is the one that it says itself. */
export const toCalendar = (ics: unknown): unknown => {
  if (ics === undefined) return undefined;
  const facts = typeof ics === 'string' && ics.length <= MAX_READ ? readCalendar(ics) : '';
  return { method: typeof facts === 'string' ? 'PUBLISH' : (facts.methods[0] ?? 'PUBLISH'), ics };
};
