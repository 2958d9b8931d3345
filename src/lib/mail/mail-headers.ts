import * as z from 'zod';
import { describe } from '../describe.ts';
import { isAbsent, isObject } from './absent.ts';
import { isSafeHeaderName } from './field-names.ts';
import { type Context, report } from './schema-faults.ts';
import { type Fault, lineFault, MAX_HEADER_LINE } from './text-rules.ts';

/** Graph answers InvalidInternetMessageHeaderCollection above it. */
const MAX_HEADERS = 5;
/** Exchange keeps a header under its name as a named property, whose name has at most 127 characters (MAPI). */
const MAX_NAME = 127;
/** RFC 5322 field name, printable ASCII but the colon, of those Graph carries; a bare `x-` names nothing. */
const CARRIED = /^x-[!-9;-~]+$/i;
/**
 * What Exchange, its filters and Outlook tell each other: verdicts such as the spam confidence level, where a mail came
 * from, what is attached to it. Not for a caller to say.
 */
const EXCHANGES_OWN =
  /^x-(?:ms-|(?:microsoft|forefront|exchange-antispam|eop(?:tenant)?attributedmessage)(?:-|$)|(?:originating-ip|originatororg|originalarrivaltime)$)/i;
/** Documented for senders: whether recipients may react. */
const FOR_SENDERS = /^x-ms-reactions$/i;

export type MailHeader = { readonly name: string; readonly value: string };

const nameFault = (name: string): Fault | undefined => {
  const fault = lineFault(name, MAX_NAME);
  if (fault !== undefined) return fault;
  if (!CARRIED.test(name))
    return { code: 'HEADER_NOT_CARRIED', expected: 'a header name that begins with x- and is longer' };
  if (EXCHANGES_OWN.test(name) && !FOR_SENDERS.test(name))
    return {
      code: 'HEADER_NOT_CARRIED',
      expected:
        'a header that Exchange and Outlook do not use themselves (not x-ms-, x-microsoft, x-forefront, x-originat...)',
    };
  return undefined;
};

const valueFault = (name: string, value: unknown): Fault | undefined =>
  typeof value === 'string'
    ? lineFault(value, MAX_HEADER_LINE - `${name}: `.length)
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
      if (wrongValue !== undefined) reportValue(context, wrongValue, value, at);
    }
    seen.add(key);
  }
  return given.map(([name, value]) => ({ name, value: String(value) }));
});
