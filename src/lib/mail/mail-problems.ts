import type { z } from 'zod';
import { describe } from '../describe.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';

type Issue = z.core.$ZodIssue;

/** JSON pointer of a path (RFC 6901). */
const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    input,
  );

const isCode = (value: unknown): value is ErrorCode => typeof value === 'string' && value in catalogue;

/** Of the ways a value could have been written, the one the caller meant: where reading got furthest. */
const furthest = (alternatives: readonly (readonly Issue[])[]): readonly Issue[] =>
  alternatives.reduce((best, issues) => (depth(issues) > depth(best) ? issues : best), []);

const depth = (issues: readonly Issue[]): number =>
  issues.reduce((deepest, { path }) => Math.max(deepest, path.length), 0);

/** Types in the words of the documentation. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  record: 'an object',
  object: 'an object',
};

const expectation = (issue: Issue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_big':
      return `at most ${issue.maximum} ${issue.origin === 'array' ? 'entries' : 'characters'}`;
    case 'too_small':
      return `at least ${issue.minimum} ${issue.origin === 'array' ? 'entries' : 'characters'}`;
    case 'invalid_union':
      return 'a text, an object or a list of them';
    default:
      return issue.message;
  }
};

const MAX_KEY = 64;

const unknownFields = (issue: Extract<Issue, { code: 'unrecognized_keys' }>, at: readonly PropertyKey[]) =>
  issue.keys.map(
    (key): Problem => ({
      code: 'FIELD_UNKNOWN',
      pointer: jsonPointer([...at, key.length > MAX_KEY ? `${key.slice(0, MAX_KEY)}...` : key]),
      expected: 'a field of the mail contract',
      came: 'a field with this name',
    }),
  );

/** Turns what the schema found into problems: code, JSON pointer, what was expected, what came. */
export const toProblems = (issues: readonly Issue[], input: unknown, at: PropertyKey[] = []): Problem[] =>
  issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code === 'unrecognized_keys') return unknownFields(issue, path);
    if (issue.code === 'invalid_union') {
      const meant = furthest(issue.errors);
      if (meant.length > 0) return toProblems(meant, input, path);
    }
    const code = issue.code === 'custom' ? issue.params?.problem : undefined;
    return [
      {
        code: isCode(code) ? code : 'FIELD_INVALID',
        pointer: jsonPointer(path),
        expected: expectation(issue),
        came: describe(valueAt(input, path)),
      },
    ];
  });
