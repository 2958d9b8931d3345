import * as z from 'zod';
import type { Fault } from './text-rules.ts';

export type Context = { issues: unknown[] };

/**
 * Adds a problem of our catalogue; `mail-problems.ts` turns it into the answer. With `goOn` what comes after in a pipe
 * is read too.
 */
export const report = (
  context: Context,
  { code, expected }: Fault,
  input: unknown,
  path: readonly PropertyKey[] = [],
  received?: string,
  goOn = false,
): void => {
  context.issues.push({
    code: 'custom',
    message: expected,
    input,
    path: [...path],
    params: { problem: code, received },
    // Not false: zod takes that as a wish to skip the checks that look at the whole.
    ...(goOn ? { continue: true } : {}),
  });
};

/** A text that keeps a rule. */
export const text = (faultOf: (value: string) => Fault | undefined) =>
  z.string().check((rule) => {
    const fault = faultOf(rule.value);
    if (fault !== undefined) report(rule, fault, rule.value);
  });

/** A list of at most so many: counted before anything looks at the items. */
export const list = <Item extends z.ZodType>(max: number, item: Item) =>
  z
    .unknown()
    .transform((input, context): unknown[] => {
      if (!Array.isArray(input)) report(context, { code: 'FIELD_INVALID', expected: 'a list' }, input);
      else if (input.length <= max) return input;
      else report(context, { code: 'FIELD_INVALID', expected: `at most ${max} entries` }, input);
      return z.NEVER;
    })
    .pipe(z.array(item));
