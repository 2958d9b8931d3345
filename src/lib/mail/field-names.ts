import type { ErrorCode } from '../error-catalogue.ts';
import { HINTS, hintFor } from './field-hints.ts';

/** What is told of a field the contract does not know; without a name where the name may be somebody's data. */
export type UnknownField = {
  readonly name?: string;
  readonly code: ErrorCode;
  readonly expected: string;
  readonly received: string;
};

/** An object of the contract: what it may have, and which other names are safe to repeat. */
export type Place = {
  readonly expected: string;
  readonly isSafe: (name: string) => boolean;
  /** What other products call its fields. */
  readonly hints: ReadonlyMap<string, string>;
};

/**
 * A word or a few, as fields are named, and at most five digits: no address, no number of a telephone or a person. A problem is
 * answered, logged and kept for months, so that a name which may be data is not repeated in it.
 */
const isFieldLike = (name: string): boolean => /^[A-Za-z][A-Za-z_-]{0,34}\d{0,5}$/.test(name);

export const MAIL_PLACE: Place = {
  expected: 'a field of the email',
  isSafe: isFieldLike,
  hints: HINTS.MAIL,
};

export const ATTACHMENT_PLACE: Place = {
  expected: 'only the fields filename, content, blob, contentType and cid',
  isSafe: isFieldLike,
  hints: HINTS.ATTACHMENT,
};

export const CALENDAR_PLACE: Place = {
  expected: 'only the fields method and ics',
  isSafe: isFieldLike,
  hints: HINTS.CALENDAR,
};

/** What other libraries call the fields. SwiftMailer has addresses and names of people here. */
const ALIKE = /^(e-?mail(_?address)?|mail|addr|ad{1,2}res{1,2}|(display|full)_?name|type|kind|id)$/i;

export const RECIPIENT_PLACE: Place = {
  expected: 'only the fields name and address',
  isSafe: (name) => ALIKE.test(name),
  hints: HINTS.RECIPIENT,
};

/** A header name that shows nothing but itself. */
export const isSafeHeaderName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name);

/** True when the last name of a path is an index, or a name that is safe to repeat where it stands. */
export const isSafeName = (path: readonly PropertyKey[]): boolean => {
  const [field, ...inside] = path.map(String);
  const name = inside.at(-1);
  if (field === undefined || name === undefined) return isFieldLike(field ?? '');
  if (typeof path.at(-1) === 'number') return true;
  if (field === 'headers') return inside.length === 1 && isSafeHeaderName(name);
  if (field === 'attachments' || field === 'calendar') return isFieldLike(name);
  return name === 'name' || name === 'address' || RECIPIENT_PLACE.isSafe(name);
};

/** The fields of an object that the contract knows, and the names of the others, however many there are. */
export const sortFields = (object: Readonly<Record<string, unknown>>, fields: readonly string[]) => ({
  known: Object.fromEntries(
    fields.filter((field) => Object.hasOwn(object, field)).map((field) => [field, object[field]]),
  ),
  unknown: Object.keys(object).filter((name) => !fields.includes(name)),
});

/** What is wrong with the unknown fields of one object: each that is safe to name, and the others as one. */
export function* unknownFields(
  names: Iterable<string>,
  place: Place,
  fields: readonly string[],
): Generator<UnknownField> {
  let unnamed = false;
  let malformed = false;
  for (const name of names) {
    if (place.isSafe(name))
      yield {
        name,
        code: 'FIELD_UNKNOWN',
        expected: `${place.expected}${hintFor(name, fields, place.hints)}`,
        received: 'an unknown field',
      };
    else if (name.isWellFormed()) unnamed = true;
    else malformed = true;
  }
  const received = 'an unknown field';
  if (unnamed) yield { code: 'FIELD_UNKNOWN', expected: place.expected, received };
  if (malformed)
    yield { code: 'TEXT_MALFORMED', expected: 'field names that are well-formed Unicode', received };
}
