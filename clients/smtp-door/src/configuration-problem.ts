import type { z } from 'zod';

/** One thing wrong with the configuration: where, and what to write instead. */
export type ConfigurationProblem = {
  readonly at: string;
  readonly expected: string;
  readonly received: string;
};

const SECRET = new Set(['key', 'passwordHash']);

/** As it is written in JavaScript: accounts[0].networks[1]. */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (place, step) =>
      typeof step === 'number'
        ? `${place}[${step}]`
        : place === ''
          ? String(step)
          : `${place}.${String(step)}`,
    '',
  ) || '(the whole file)';

const MAX_SHOWN = 60;

/** A value as a person finds it again in the file; one that may be secret by its kind only. */
const describe = (value: unknown, isSecret: boolean): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  if (isSecret)
    return value === '' ? 'an empty text' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
  const shown = JSON.stringify(value);
  return shown.length <= MAX_SHOWN ? shown : `${shown.slice(0, MAX_SHOWN)}...`;
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined | null)?.[step],
    input,
  );

/** Says what zod found, in the words of the schema. */
export const toProblems = (
  input: unknown,
  issues: readonly z.core.$ZodIssue[],
): readonly ConfigurationProblem[] =>
  issues.flatMap((issue) => {
    const at = placeOf(issue.path);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        at,
        expected: issue.message,
        received: `the unknown field "${key}"`,
      }));
    const isSecret = issue.path.some((step) => SECRET.has(String(step)));
    return [{ at, expected: issue.message, received: describe(valueAt(input, issue.path), isSecret) }];
  });

/** Everything that is wrong with a configuration, together. */
export class ConfigurationError extends Error {
  readonly problems: readonly ConfigurationProblem[];

  constructor(file: string, problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(
      ({ at, expected, received }) => `  ${at}: expected ${expected}; received ${received}.`,
    );
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`${file} has ${count}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}
