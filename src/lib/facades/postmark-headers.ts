import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { fieldProblems } from './field-rules.ts';
import { HEADER_RULES, inTheirCase } from './postmark-fields.ts';

/** Headers that say what a field of our email says. */
const FIELD_OF_HEADER: Readonly<Record<string, string>> = {
  'reply-to': 'replyTo',
  'message-id': 'messageId',
  'in-reply-to': 'inReplyTo',
  references: 'references',
  importance: 'importance',
  priority: 'importance',
  'x-priority': 'importance',
  // Of the façades, for providers without idempotency: recipients do not get it.
  'x-idempotency-key': 'idempotencyKey',
};

/** What the headers of priority mean, by RFC 2156 and the habit of mail programs; another value is read by the rules of an email. */
const importanceOf = (name: string, value: string): string => {
  const written = value.trim().toLowerCase();
  if (name === 'priority')
    return { urgent: 'high', normal: 'normal', 'non-urgent': 'low' }[written] ?? written;
  if (name !== 'x-priority') return written;
  const [digit = ''] = /^[1-5]\b/.exec(written) ?? [];
  return { '1': 'high', '2': 'high', '3': 'normal', '4': 'low', '5': 'low' }[digit] ?? written;
};

export type FoundHeaders = {
  /** Of our email, by name, with the headers that have no field. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The place of each field and header among the headers of Postmark; headers by `headers/name`. */
  readonly places: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
};

/** `Headers` of Postmark: a list of pairs. Nothing of it is lost: what is there twice is a problem. */
export const readHeaders = (written: unknown): FoundHeaders => {
  const fields = new Map<string, unknown>();
  const headers: [string, unknown][] = [];
  const places = new Map<string, string>();
  const problems: Problem[] = [];
  const tell = (pointer: string, expected: string, value: unknown, code: Problem['code'] = 'FIELD_INVALID') =>
    problems.push({ code, pointer, expected, received: describe(value) });
  if (!isAbsent(written) && written !== undefined && !Array.isArray(written))
    tell('Headers', 'a list of { "Name", "Value" }', written);

  for (const [index, one] of (Array.isArray(written) ? written : []).entries()) {
    const place = `Headers[${index}]`;
    if (isAbsent(one)) continue;
    if (!isObject(one)) {
      tell(place, 'an object with Name and Value', one);
      continue;
    }
    const { fields: pair, repeated } = inTheirCase(one, HEADER_RULES);
    for (const name of repeated)
      problems.push(twice(`${place}.${name}`, 'each field once in its object', 'a field written twice'));
    problems.push(...fieldProblems(pair, HEADER_RULES, `${place}.`));
    const { Name: name, Value: value } = pair;
    if (isAbsent(value) || value === undefined) continue;
    if (typeof name !== 'string' || name === '') {
      tell(`${place}.Name`, 'the name of the header', name);
      continue;
    }
    const key = name.toLowerCase();
    const field = Object.hasOwn(FIELD_OF_HEADER, key) ? FIELD_OF_HEADER[key] : undefined;
    if (field !== undefined && typeof value !== 'string') tell(`${place}.Value`, 'text', value);
    // As a field of our email, it is refused wherever JSON is read.
    else if (key === '__proto__')
      tell(`${place}.Name`, 'the name of a header, such as X-Order', pair, 'HEADER_NOT_CARRIED');
    else if (key.startsWith('x-pm-')) tell(place, NO_INSTRUCTIONS, pair, 'FACADE_FIELD_NOT_CARRIED');
    else if (places.has(field ?? `headers/${key}`))
      problems.push(twice(place, 'each header once, in upper or lower case', 'a header given twice'));
    else if (field === undefined) headers.push([name, value]);
    else fields.set(field, field === 'importance' ? importanceOf(key, String(value)) : value);
    if (!places.has(field ?? `headers/${key}`)) places.set(field ?? `headers/${key}`, place);
  }
  if (headers.length > 0) fields.set('headers', Object.fromEntries(headers));
  return { fields: Object.fromEntries(fields), places, problems };
};

const NO_INSTRUCTIONS =
  'no header that begins with X-PM-: they instruct Postmark. Use Tag and Metadata; a Message-ID is kept as far as Exchange keeps it';

const twice = (pointer: string, expected: string, received: string): Problem => ({
  code: 'FIELD_REPEATED',
  pointer,
  expected,
  received,
});
