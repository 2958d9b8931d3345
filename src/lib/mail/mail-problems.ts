import type * as z from 'zod';
import { describe } from '../describe.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';
import { MAIL_PLACE, unknownFields } from './field-names.ts';
import { priorityHint } from './priority.ts';

type Issue = z.core.$ZodIssue;

/**
 * JSON pointer of a path (RFC 6901). A path is made of the field names of the contract, of indexes, and of the
 * names of others only where field-names.ts says that they are safe to repeat.
 */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** What is at a place of some JSON; undefined where there is nothing. */
export const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    input,
  );

const isCode = (value: unknown): value is ErrorCode => typeof value === 'string' && value in catalogue;

/** Types in the words of the documentation. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** What a word that is none of those of its field was probably meant to be. */
const wordHint = ([field, ...inside]: readonly PropertyKey[], written: unknown): string =>
  field === 'priority' && inside.length === 0 ? priorityHint(written) : '';

const expectation = (issue: Issue, written: unknown): string => {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}${wordHint(issue.path, written)}`;
    default:
      return issue.message;
  }
};

/** Turns what the schema found, and the fields it does not know, into problems. One at a time. */
export function* toProblems(
  {
    issues,
    unknown,
    fields,
  }: {
    readonly issues: readonly Issue[];
    readonly unknown: readonly string[];
    /** Those of the contract. */
    readonly fields: readonly string[];
  },
  input: unknown,
): Generator<Problem> {
  for (const issue of issues) {
    const { problem, received } = issue.code === 'custom' ? (issue.params ?? {}) : {};
    const written = valueAt(input, issue.path);
    yield {
      code: isCode(problem) ? problem : 'FIELD_INVALID',
      pointer: jsonPointer(issue.path),
      expected: expectation(issue, written),
      received: typeof received === 'string' ? received : describe(written),
    };
  }
  for (const { name, ...rest } of unknownFields(unknown, MAIL_PLACE, fields))
    yield { ...rest, pointer: jsonPointer(name === undefined ? [] : [name]) };
}
