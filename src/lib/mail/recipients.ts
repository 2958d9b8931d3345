import * as z from 'zod';
import { describe } from '../describe.ts';
import { isAbsent, isObject } from './absent.ts';
import { type Address, addressFault } from './address.ts';
import { readAddresses } from './address-list.ts';
import { RECIPIENT_PLACE, sortFields, unknownFields } from './field-names.ts';
import { type Context, report } from './schema-faults.ts';
import { type Fault, lineFault, nameFault } from './text-rules.ts';

/** Exchange Online's default for one message (graph: resource type message). */
export const MAX_RECIPIENTS = 500;
/** What a list may hold with empty places in it; more is not looked at. */
const MAX_ENTRIES = 2 * MAX_RECIPIENTS;

/** Takes the place of a rejected recipient, so that the email does not seem to have none. */
const REFUSED: readonly Address[] = [{ address: '' }];

type Tell = (fault: Fault, path?: readonly PropertyKey[], received?: string) => void;

const invalid = (expected: string): Fault => ({ code: 'ADDRESS_INVALID', expected });

/** What a recipient may have as an object. */
const FIELDS = ['name', 'address'];

const WITHOUT_LIMIT = Number.POSITIVE_INFINITY;

/** One written recipient: a text can hold several. */
const readWritten = (written: string, tell: Tell): readonly Address[] => {
  const fault = lineFault(written, WITHOUT_LIMIT);
  if (fault !== undefined) {
    tell(fault);
    return REFUSED;
  }
  const { addresses, places, wrong } = readAddresses(written, MAX_RECIPIENTS + 1);
  for (const { place, expected } of wrong)
    tell(
      invalid(expected),
      [],
      places === 1 ? undefined : `${describe(written)}, in which address number ${place} is wrong`,
    );
  for (const { name = '' } of addresses) {
    const wrongName = nameFault(name);
    if (wrongName !== undefined) {
      tell(wrongName);
      break;
    }
  }
  return [...addresses, ...wrong.flatMap(() => REFUSED)];
};

const readObject = (written: Readonly<Record<string, unknown>>, tell: Tell): readonly Address[] => {
  const { known, unknown } = sortFields(written, FIELDS);
  for (const { name, received, ...fault } of unknownFields(unknown, RECIPIENT_PLACE, FIELDS))
    tell(fault, name === undefined ? [] : [name], received);
  const { address } = known;
  const name = isAbsent(known.name) ? undefined : known.name;
  if (name !== undefined) {
    const fault = typeof name === 'string' ? nameFault(name) : notText;
    if (fault !== undefined) tell(fault, ['name']);
  }
  // Where the address stands under another name, that is the mistake, and has been told.
  if (typeof address !== 'string') {
    if (address !== undefined || unknown.length === 0) tell(notText, ['address']);
    return REFUSED;
  }
  const bare = address.trim();
  const expected = addressFault(bare);
  const fault = lineFault(bare, WITHOUT_LIMIT) ?? (expected === undefined ? undefined : invalid(expected));
  if (fault !== undefined) tell(fault, ['address']);
  const shown = typeof name === 'string' ? name.trim() : '';
  return [shown === '' ? { address: bare } : { name: shown, address: bare }];
};

const notText: Fault = { code: 'FIELD_INVALID', expected: 'text' };

const readRecipient = (written: unknown, tell: Tell): readonly Address[] => {
  if (typeof written === 'string') return readWritten(written, tell);
  if (isObject(written)) return readObject(written, tell);
  tell({ code: 'FIELD_INVALID', expected: 'text or an object' });
  return REFUSED;
};

const tellOf =
  (context: Context, input: unknown, at: readonly PropertyKey[] = []): Tell =>
  (fault, path = [], received) =>
    report(context, fault, input, [...at, ...path], received);

/** More than a mail may have; `count` where it was counted to the end. */
export const tooMany = (count?: number): Fault => ({
  code: 'RECIPIENTS_TOO_MANY',
  expected: `at most ${MAX_RECIPIENTS} recipients${count === undefined ? '' : `, not ${count}`}`,
});

/** Recipients in every form they may be written in. */
export const recipients = z.unknown().transform((input, context): readonly Address[] => {
  const tell = tellOf(context, input);
  const written = Array.isArray(input) ? input : [input];
  if (written.length > MAX_ENTRIES) {
    tell(tooMany());
    return REFUSED;
  }
  const read: Address[] = [];
  for (const [index, one] of written.entries()) {
    if (isAbsent(one)) continue;
    read.push(...readRecipient(one, Array.isArray(input) ? tellOf(context, input, [index]) : tell));
    if (read.length > MAX_RECIPIENTS) {
      tell(tooMany());
      break;
    }
  }
  return read;
});

/** One sender. */
export const sender = z.unknown().transform((input, context): Address => {
  const tell = tellOf(context, input);
  const addresses = readRecipient(input, tell);
  if (addresses.length !== 1) tell({ code: 'ADDRESS_INVALID', expected: 'exactly one sender' });
  return addresses[0] ?? { address: '' };
});
