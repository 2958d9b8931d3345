import { describe } from '../describe.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import { isObject } from './absent.ts';
import { isSafeName } from './field-names.ts';
import { isTooDeep, MAX_DEPTH } from './json-depth.ts';
import { lookAtJson, MAX_PARTS } from './json-text.ts';
import { jsonPointer, toProblems } from './mail-problems.ts';
import { type Mail, parseMail } from './mail-schema.ts';
import { isGzip, lookOfText } from './not-json.ts';

const unreadable = (detail: string): AppError => new AppError('JSON_UNREADABLE', { detail });

const TOO_DEEP = `Expected one JSON object nested no deeper than ${MAX_DEPTH} levels.`;
const PROTOTYPE = 'The field name __proto__ is not allowed.';

/**
 * Reads JSON as text. Throws JSON_UNREADABLE, saying where without showing the text, and FIELD_REPEATED where
 * one object has a field twice. `placeOf` gives the place that is told where the text is not as it was received. With `maxParts` of its
 * own, a request with more is told REQUEST_TOO_LARGE.
 */
export const parseJson = (
  text: string,
  placeOf = (place: number): number => place,
  maxParts?: number,
): unknown => {
  const { tooDeep, tooMany, prototype, repeated } = lookAtJson(text, maxParts);
  if (tooDeep) throw unreadable(TOO_DEEP);
  if (tooMany && maxParts !== undefined)
    throw new AppError('REQUEST_TOO_LARGE', {
      detail: `Expected at most ${maxParts} objects, lists and named fields in the JSON of one request, where each field of each email counts; received more.`,
    });
  if (tooMany)
    throw unreadable(`Expected one JSON object with at most ${MAX_PARTS} objects, lists and fields.`);
  const value = parseText(text, placeOf);
  if (prototype) throw unreadable(PROTOTYPE);
  if (repeated.length > 0) throw problemsError(repeated.map(repeatedField));
  return value;
};

const parseText = (text: string, placeOf: (place: number) => number): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (text.trim() === '') throw unreadable('Expected one JSON object, received nothing.');
    const position = /at position (\d+)/.exec(String(cause))?.[1];
    const where =
      position === undefined ? '' : ` The first error is at character ${placeOf(Number(position))}.`;
    throw unreadable(`Expected one JSON object.${where}${afterBlank(lookOfText(text))}`);
  }
};

const afterBlank = (sentence: string): string => (sentence === '' ? '' : ` ${sentence}`);

/** The field, or where its name may be somebody's data, the object it stands in. */
const repeatedField = (path: readonly PropertyKey[]): Problem => {
  const stranger = path.findIndex((_, index) => !isSafeName(path.slice(0, index + 1)));
  return {
    code: 'FIELD_REPEATED',
    pointer: jsonPointer(stranger === -1 ? path : path.slice(0, stranger)),
    expected: 'each field once in its object',
    received: 'a field written twice',
  };
};

/** Reads bytes as UTF-8 text. Throws JSON_UNREADABLE for other encodings. */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  if (isGzip(bytes)) throw unreadable('Expected text encoded as UTF-8, not compressed with gzip.');
  // Text of ASCII letters in UTF-16 is well-formed UTF-8 too, with a NUL beside each.
  if (looksLikeUtf16(bytes)) throw unreadable('Expected text encoded as UTF-8, not as UTF-16.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable('Expected text encoded as UTF-8.');
  }
};

/** By its byte order mark, or by the zero beside the brace every mail begins with. */
const looksLikeUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) ||
  (first === 0xfe && second === 0xff) ||
  (second !== undefined && first !== second && (first === 0 || second === 0));

/** What can be read of a mail that has fields nobody knows, and is good otherwise. */
export const sketchMail = (input: unknown): Mail | undefined => {
  if (!isObject(input) || isTooDeep(input)) return undefined;
  const { success, data } = parseMail(input);
  return success ? data : undefined;
};

/** Reads a mail of the contract. Throws one AppError that lists every problem. */
export const readMail = (input: unknown): Mail => {
  if (!isObject(input)) {
    const look = typeof input === 'string' ? lookOfText(JSON.stringify(input.slice(0, 100))) : '';
    throw unreadable(
      `Expected one JSON object with the fields of an email, received ${describe(input)}.${afterBlank(look)}`,
    );
  }
  if (isTooDeep(input)) throw unreadable(TOO_DEEP);
  const { data, error, unknown, fields } = parseMail(input);
  if (data !== undefined && unknown.length === 0) return data;
  throw problemsError(toProblems({ issues: error?.issues ?? [], unknown, fields }, input));
};
