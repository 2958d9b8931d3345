import JSON5 from 'json5';
import { isTooDeep } from '../../src/lib/mail/json-depth.ts';
import type { TypedData } from './core-types.ts';

/** Later values win over earlier ones whose names differ only in case; a name keeps the spelling it had first. */
export const toBindingData = (pairs: Iterable<readonly [string, TypedData]>): Record<string, TypedData> => {
  const names = new Map<string, string>();
  const data = new Map<string, TypedData>();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const known = names.get(key);
    if (known === undefined) names.set(key, name);
    data.set(known ?? name, value);
  }
  return Object.fromEntries(data);
};

/** Newtonsoft.Json 13 reads no deeper, and what it cannot read the host passes on as text. */
const NEWTONSOFT_DEPTH = 64;

/**
 * The top-level properties of a JSON object as the host lays them over its own values: all but arrays and null, scalars as
 * .NET's text. The host reads with Newtonsoft.Json, which takes single quotes, comments and bare names as JSON5 does
 * (ApplyBindingData of azure-functions-host; azure-functions-nodejs-library issue 459).
 */
export function* jsonProperties(text: string): Generator<[string, TypedData]> {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return;
  const object = parseObject(trimmed);
  // A request of 2 MB can have 200,000 properties: pairs of all, or a look into each, would cost more than the rest.
  const names = Object.keys(object);
  const containers = names.map((name) => object[name]).filter((value) => typeof value === 'object');
  if (isTooDeep(containers, NEWTONSOFT_DEPTH)) return;
  for (const name of names) {
    const value = object[name];
    if (value === null || Array.isArray(value)) continue;
    yield [
      name,
      typeof value === 'object' ? { json: JSON.stringify(value) } : { string: asDotNetText(value) },
    ];
  }
}

/** The strict parser first, which is far faster. */
const parseObject = (text: string): Record<string, unknown> => {
  for (const parser of [JSON, JSON5]) {
    try {
      return parser.parse(text);
    } catch {}
  }
  return {};
};

/** Scalars become text on the way: 5 is "5", true is "True", and a date is one of the invariant culture. */
const asDotNetText = (value: unknown): string => {
  if (value === true) return 'True';
  if (value === false) return 'False';
  return typeof value === 'string' ? (asDotNetDate(value) ?? value) : String(value);
};

const LONGEST_DATE = '2026-01-01T00:00:00.0000000+00:00'.length;
const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d{1,7})?(Z|[+-]\d\d:\d\d)?$/;

/** Newtonsoft takes every ISO date and time for a date; one with an offset is moved to the host's time, which is UTC. */
const asDotNetDate = (text: string): string | undefined => {
  const found = text.length <= LONGEST_DATE ? ISO_DATE.exec(text) : null;
  if (found === null) return undefined;
  const [, year, month, day, time, zone = 'Z'] = found;
  const date = new Date(`${year}-${month}-${day}T${time}${zone}`);
  if (Number.isNaN(date.getTime())) return undefined;
  const iso = date.toISOString();
  return `${iso.slice(5, 7)}/${iso.slice(8, 10)}/${iso.slice(0, 4)} ${iso.slice(11, 19)}`;
};
