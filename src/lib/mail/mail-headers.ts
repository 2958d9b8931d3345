import * as z from 'zod';
import { describe } from '../describe.ts';
import { isAbsent, isObject } from './absent.ts';
import { isSafeHeaderName } from './field-names.ts';
import { headerMeaningFault, headerNameFault } from './header-policy.ts';
import { type Context, report } from './schema-faults.ts';
import { type Fault, lineFault, MAX_HEADER_LINE } from './text-rules.ts';

/** Far more than an application writes, and far less than a header of 64 KB, which some servers reject. */
const MAX_HEADERS = 50;

export type MailHeader = { readonly name: string; readonly value: string };

const valueFault = (name: string, value: unknown): Fault | undefined =>
  typeof value === 'string'
    ? (lineFault(value, MAX_HEADER_LINE - `${name}: `.length) ?? headerMeaningFault(name, value))
    : { code: 'FIELD_INVALID', expected: 'text' };

/** Where the header cannot be named, the problem stands at all of them. */
const reportValue = (
  context: Context,
  { code, expected }: Fault,
  value: unknown,
  at: readonly string[],
): void => {
  if (at.length > 0) report(context, { code, expected }, value, at);
  else
    report(
      context,
      { code, expected: `${expected} as the value of each header` },
      value,
      at,
      `a header with the value ${describe(value)}`,
    );
};

/** A header of nothing but blanks is none in any message. */
const isBlank = (value: unknown): boolean => typeof value === 'string' && /^[ \t]+$/.test(value);

/** Headers by name. */
export const headers = z.unknown().transform((input, context): readonly MailHeader[] => {
  if (!isObject(input)) {
    report(context, { code: 'FIELD_INVALID', expected: 'an object' }, input);
    return [];
  }
  const given = Object.entries(input).filter(([, value]) => !isAbsent(value) && !isBlank(value));
  if (given.length > MAX_HEADERS) {
    report(context, { code: 'HEADERS_TOO_MANY', expected: `at most ${MAX_HEADERS} headers` }, input);
    return [];
  }
  const seen = new Set<string>();
  for (const [name, value] of given) {
    const at = isSafeHeaderName(name) ? [name] : [];
    const wrongName = headerNameFault(name);
    const key = name.toLowerCase();
    if (wrongName !== undefined) report(context, wrongName, input, at, `a name of ${name.length} characters`);
    else if (seen.has(key))
      report(
        context,
        { code: 'FIELD_REPEATED', expected: 'each header once, in upper or lower case' },
        input,
        at,
        'a header given twice',
      );
    else {
      const wrongValue = valueFault(name, value);
      if (wrongValue !== undefined) reportValue(context, wrongValue, value, at);
    }
    seen.add(key);
  }
  // What is no text was told of above, and may not even be possible to turn into one.
  return given.map(([name, value]) => ({ name, value: typeof value === 'string' ? value : '' }));
});
