import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { fieldProblems } from './field-rules.ts';
import { type GivenHeader, sortHeaders } from './header-fields.ts';
import { HEADER_RULES, inTheirCase } from './postmark-fields.ts';

export type FoundHeaders = {
  /** Of our email, by name, with the headers that have no field. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The place of each field and header among the headers of Postmark; headers by `headers/name`. */
  readonly places: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
};

/** `Headers` of Postmark: a list of pairs. Nothing of it is lost: what is there twice is a problem. */
export const readHeaders = (written: unknown): FoundHeaders => {
  const { pairs, problems } = readPairs(written);
  const { fields, others, contradicting } = sortHeaders(pairs);
  const places = new Map([...fields].map(([field, { place }]) => [field, place]));
  const headers: [string, unknown][] = [];
  for (const { place } of contradicting) problems.push(twice(place));
  for (const { value, place } of fields.values())
    if (typeof value !== 'string') problems.push(invalid(`${place}.Value`, 'text', value));
  for (const { name, value, place } of others) {
    const key = `headers/${name.toLowerCase()}`;
    if (places.has(key)) problems.push(twice(place));
    else {
      places.set(key, place);
      headers.push([name, value]);
    }
  }
  return {
    fields: Object.fromEntries<unknown>([
      ...[...fields].map(([field, { value }]) => [field, value] as const),
      ...(headers.length === 0 ? [] : [['headers', Object.fromEntries(headers)] as const]),
    ]),
    places,
    problems,
  };
};

const invalid = (pointer: string, expected: string, value: unknown): Problem => ({
  code: 'FIELD_INVALID',
  pointer,
  expected,
  received: describe(value),
});

const twice = (pointer: string): Problem => ({
  code: 'FIELD_REPEATED',
  pointer,
  expected: 'each header once, in upper or lower case',
  received: 'a header given twice',
});

const readPairs = (
  written: unknown,
): { readonly pairs: readonly GivenHeader[]; readonly problems: Problem[] } => {
  const pairs: GivenHeader[] = [];
  const problems: Problem[] = [];
  if (!Array.isArray(written)) {
    if (!isAbsent(written ?? '')) problems.push(invalid('Headers', 'a list of { "Name", "Value" }', written));
    return { pairs, problems };
  }
  for (const [index, one] of written.entries()) {
    const place = `Headers[${index}]`;
    if (isAbsent(one)) continue;
    if (!isObject(one)) {
      problems.push(invalid(place, 'an object with Name and Value', one));
      continue;
    }
    const { fields: pair, repeated } = inTheirCase(one, HEADER_RULES);
    for (const name of repeated) problems.push(twice(`${place}.${name}`));
    problems.push(...fieldProblems(pair, HEADER_RULES, `${place}.`));
    const { Name: name, Value: value } = pair;
    if (isAbsent(value ?? '')) continue;
    const wrong = wrongName(name);
    if (wrong === undefined) pairs.push({ name: String(name), value, place });
    else problems.push({ ...wrong, pointer: `${place}.Name`, received: describe(name) });
  }
  return { pairs, problems };
};

const wrongName = (name: unknown): Pick<Problem, 'code' | 'expected'> | undefined => {
  if (typeof name !== 'string' || name === '')
    return { code: 'FIELD_INVALID', expected: 'the name of the header' };
  // As a field of our email, it is refused wherever JSON is read.
  if (name === '__proto__')
    return { code: 'HEADER_NOT_CARRIED', expected: 'the name of a header, such as X-Order' };
  if (/^x-pm-/i.test(name))
    return {
      code: 'FACADE_FIELD_NOT_CARRIED',
      expected:
        'no header that begins with X-PM-: they instruct Postmark. Use Tag and Metadata; a Message-ID is kept as far as Exchange keeps it',
    };
  return undefined;
};
