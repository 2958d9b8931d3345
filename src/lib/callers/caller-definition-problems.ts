import type * as z from 'zod';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { jsonPointer, valueAt } from '../mail/mail-problems.ts';

type Issue = z.core.$ZodIssue;

/** A word, as fields are named: neither an address nor a key. A problem is answered and logged. */
const isFieldLike = (name: string): boolean => /^[A-Za-z]{1,30}$/.test(name);

/** The number of a rule is no secret. Anywhere else, a number could be part of something that is. */
const NUMBERS: readonly PropertyKey[] = ['mailsPerDay', 'recipientsPerDay', 'maxMailBytes'];

const shown = (input: unknown, path: readonly PropertyKey[]): string => {
  const value = valueAt(input, path);
  const isOfRule = path.length === 1 && NUMBERS.includes(path[0] ?? '');
  return isOfRule && typeof value === 'number' ? String(value) : describe(value);
};

/** Turns what the schema found into problems of CALLER_INVALID. */
export const toCallerProblems = (
  issues: readonly Issue[],
  input: unknown,
  fields: readonly string[],
): readonly Problem[] =>
  issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        code: 'CALLER_INVALID',
        pointer: jsonPointer([...issue.path, ...(isFieldLike(key) ? [key] : [])]),
        expected: `only the fields ${fields.join(', ')}`,
        received: 'another field',
      }));
    const received = issue.code === 'custom' ? issue.params?.received : undefined;
    return [
      {
        code: 'CALLER_INVALID',
        pointer: jsonPointer(issue.path),
        expected: issue.message,
        received: typeof received === 'string' ? received : shown(input, issue.path),
      },
    ];
  });
