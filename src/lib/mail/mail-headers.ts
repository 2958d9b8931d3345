import { z } from 'zod';
import { isAbsent, isObject } from './absent.ts';
import { isSafeHeaderName } from './field-names.ts';
import { report } from './schema-faults.ts';
import { type Fault, lineFault, MAX_HEADER_LINE } from './text-rules.ts';

/** Graph answers InvalidInternetMessageHeaderCollection above it. */
const MAX_HEADERS = 5;
/** Exchange keeps a header under its name as a named property, whose name has at most 127 characters (MAPI). */
const MAX_NAME = 127;
/** RFC 5322 field name, printable ASCII but the colon, of those Graph carries; a bare `x-` names nothing. */
const CARRIED = /^x-[!-9;-~]+$/i;
/** Orders and verdicts of Exchange itself, such as the spam confidence level: not for a caller to give. */
const EXCHANGES_OWN = /^x-(ms-exchange|microsoft|forefront)-/i;

export type MailHeader = { readonly name: string; readonly value: string };

const nameFault = (name: string): Fault | undefined => {
  const fault = lineFault(name, MAX_NAME);
  if (fault !== undefined) return fault;
  if (!CARRIED.test(name))
    return { code: 'HEADER_NOT_CARRIED', expected: 'a header name that begins with x- and is longer' };
  if (EXCHANGES_OWN.test(name))
    return {
      code: 'HEADER_NOT_CARRIED',
      expected: 'a header that does not control Exchange (not x-ms-exchange-, x-microsoft- or x-forefront-)',
    };
  return undefined;
};

const valueFault = (name: string, value: unknown): Fault | undefined =>
  typeof value === 'string'
    ? lineFault(value, MAX_HEADER_LINE - `${name}: `.length)
    : { code: 'FIELD_INVALID', expected: 'text' };

/** Headers by name. */
export const headers = z.unknown().transform((input, context): readonly MailHeader[] => {
  if (!isObject(input)) {
    report(context, { code: 'FIELD_INVALID', expected: 'an object' }, input);
    return [];
  }
  const given = Object.entries(input).filter(([, value]) => !isAbsent(value));
  if (given.length > MAX_HEADERS) {
    report(context, { code: 'HEADERS_TOO_MANY', expected: `at most ${MAX_HEADERS} headers` }, input);
    return [];
  }
  const seen = new Set<string>();
  for (const [name, value] of given) {
    const at = isSafeHeaderName(name) ? [name] : [];
    const wrongName = nameFault(name);
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
      if (wrongValue !== undefined) report(context, wrongValue, value, at);
    }
    seen.add(key);
  }
  return given.map(([name, value]) => ({ name, value: String(value) }));
});
