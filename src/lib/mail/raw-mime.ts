import * as z from 'zod';
import { type Address, addressKey } from './address.ts';
import { readAddresses, withoutGroup } from './address-list.ts';
import { base64Fault, inOneLine } from './base64.ts';
import { type Base64Text, decodedLength, decodeRange, isBase64Text } from './base64-text.ts';
import { isSafeHeaderName } from './field-names.ts';
import { headerMeaningFault, isExchangesOwn } from './header-policy.ts';
import { hasBareCr, withCrlf } from './line-breaks.ts';
import { fieldValue, type HeaderField, readHeader } from './mime-header.ts';
import { structureFault } from './mime-structure.ts';
import { MAX_RECIPIENTS, tooMany } from './recipients.ts';
import { report } from './schema-faults.ts';
import type { Fault } from './text-rules.ts';

/** In base64 it must fit into one request to Graph, which holds 4 MB. */
export const MAX_MIME_BYTES = 3_000_000;

/** A whole message of a caller, as it can be sent. */
export type RawMime = {
  /** With CRLF at the end of each line, and without the fields in `removed`. */
  readonly bytes: Buffer;
  /** Fields that every message needs and this one lacks. */
  readonly missing: readonly ('Date' | 'Message-ID' | 'MIME-Version')[];
  /** Names of fields that the relay took out. */
  readonly removed: readonly string[];
  /** Names of fields that Exchange may not pass on. */
  readonly uncertain: readonly string[];
};

/** Whom a whole message is from and for, and the message. */
export type ReadMime = {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  /** As it is written in the header, with its encoded words. */
  readonly subject: string;
  readonly raw: RawMime;
};

/** Fields of RFC 5322 (3.6) and MIME that a header has once at most. */
const ONCE =
  /^(?:from|sender|reply-to|to|cc|bcc|message-id|in-reply-to|references|subject|date|mime-version|content-.*)$/;

/** Traces and verdicts of a journey that is not this one, and a signature that Exchange's changes would break. */
const OF_ANOTHER_JOURNEY =
  /^(?:x-sender|x-receiver|received|return-path|delivered-to|apparently-to|received-spf|authentication-results|arc-.*|dkim-signature|domainkey-signature|x-mailrelay-id)$/;

/** What Exchange passes on, as far as is known. */
const PASSED_ON =
  /^(?:from|sender|reply-to|to|cc|bcc|message-id|in-reply-to|references|subject|date|mime-version|content-.*|importance|priority|x-priority|disposition-notification-to|return-receipt-to|thread-(?:topic|index))$/;

const invalid = (expected: string): Fault => ({ code: 'MIME_INVALID', expected });

const keyOf = ({ name }: HeaderField): string => name.toLowerCase();
const isRemoved = (field: HeaderField): boolean =>
  OF_ANOTHER_JOURNEY.test(keyOf(field)) || isExchangesOwn(field.name);

type Told = (fault: Fault) => void;

const addressesOf = (fields: readonly HeaderField[], name: string, tell: Told): readonly Address[] => {
  const value = fieldValue(fields, name.toLowerCase());
  if (value === undefined) return [];
  const { addresses, wrong } = readAddresses(withoutGroup(value), MAX_RECIPIENTS + 1);
  for (const { place, expected } of wrong)
    tell({
      code: 'ADDRESS_INVALID',
      expected: `${expected}, as address number ${place} of the header ${name}`,
    });
  // The name is in the message, in the form the caller chose.
  return addresses.map(({ address }) => ({ address }));
};

/**
 * The envelope, where a library wrote it into a header for a server that picks up files (.NET's pickup directory): X-Receiver
 * names those in Bcc, and nothing else does. Undefined where there is none.
 */
const envelopeOf = (fields: readonly HeaderField[], tell: Told): readonly Address[] | undefined => {
  const written = fields.filter((field) => keyOf(field) === 'x-receiver').map(({ value }) => value);
  if (written.length === 0) return undefined;
  const { addresses, wrong } = readAddresses(written.join(', '), MAX_RECIPIENTS + 1);
  for (const { expected } of wrong) tell({ code: 'ADDRESS_INVALID', expected: `${expected}, in X-Receiver` });
  return addresses.map(({ address }) => ({ address }));
};

/** Those of the envelope whom To and Cc do not name, in place of Bcc. */
const hiddenOf = (
  envelope: readonly Address[],
  { to, cc, bcc }: Pick<ReadMime, 'to' | 'cc' | 'bcc'>,
  tell: Told,
): readonly Address[] => {
  const keysOf = (people: readonly Address[]) => new Set(people.map(({ address }) => addressKey(address)));
  const receivers = keysOf(envelope);
  if ([...to, ...cc, ...bcc].some(({ address }) => !receivers.has(addressKey(address))))
    tell(invalid('no X-Receiver headers, or one for each address of To, Cc and Bcc'));
  const shown = keysOf([...to, ...cc]);
  return envelope.filter(({ address }) => !shown.has(addressKey(address)));
};

const headerFaults = function* (fields: readonly HeaderField[]): Generator<Fault> {
  const seen = new Set<string>();
  for (const field of fields) {
    const key = keyOf(field);
    if (ONCE.test(key) && seen.has(key)) yield invalid(`the header ${field.name} once`);
    seen.add(key);
    if (key.startsWith('resent-'))
      yield invalid('a message without Resent- headers, which name other recipients');
    const fault = headerMeaningFault(field.name, field.value);
    if (fault !== undefined) yield { ...fault, expected: `${fault.expected}, in the header ${field.name}` };
  }
};

/** Reads a whole message. Undefined where something is wrong with it, which `tell` has heard. */
const readMime = (bytes: Buffer, tell: Told): ReadMime | undefined => {
  let faults = 0;
  const told: Told = (fault) => {
    faults += 1;
    tell(fault);
  };
  if (bytes.length === 0) told(invalid('a message with a header and a body, not an empty one'));
  else if (bytes.includes(0)) told(invalid('a message without NUL bytes'));
  else if (hasBareCr(bytes)) told(invalid('CRLF at the end of every line, and no CR without LF'));
  if (faults > 0) return undefined;
  const header = readHeader(bytes, 0);
  if ('expected' in header) {
    told(invalid(header.expected));
    return undefined;
  }
  const { fields, bodyAt } = header;
  for (const fault of headerFaults(fields)) told(fault);
  const structure = structureFault(bytes, fields, bodyAt);
  if (structure !== undefined) told(invalid(structure));
  const from = addressesOf(fields, 'From', told);
  if (from.length !== 1) told(invalid('exactly one address in the header From'));
  for (const name of ['Sender', 'X-Sender']) {
    const [sender = from[0]] = addressesOf(fields, name, told);
    if (addressKey(sender?.address ?? '') !== addressKey(from[0]?.address ?? ''))
      told(invalid(`no header ${name}, or the same address as in From`));
  }
  const [to = [], cc = [], written = []] = ['To', 'Cc', 'Bcc'].map((name) => addressesOf(fields, name, told));
  const envelope = envelopeOf(fields, told);
  const bcc = envelope === undefined ? written : hiddenOf(envelope, { to, cc, bcc: written }, told);
  const count = to.length + cc.length + bcc.length;
  if (count > MAX_RECIPIENTS) told(tooMany());
  else if (count === 0)
    told({ code: 'RECIPIENT_MISSING', expected: 'at least one address in the headers To, Cc or Bcc' });
  const [only] = from;
  if (faults > 0 || only === undefined) return undefined;
  return {
    from: only,
    to,
    cc,
    bcc,
    subject: fieldValue(fields, 'subject') ?? '',
    raw: toRaw(bytes, fields, envelope === undefined ? undefined : bcc),
  };
};

const namesOf = (fields: readonly HeaderField[]): readonly string[] => [
  ...new Set(fields.map(({ name }) => name).filter(isSafeHeaderName)),
];

/** `hidden` is what stands in Bcc, where that is not what was written. */
const toRaw = (
  bytes: Buffer,
  fields: readonly HeaderField[],
  hidden: readonly Address[] | undefined,
): RawMime => {
  const isReplaced = (field: HeaderField): boolean => hidden !== undefined && keyOf(field) === 'bcc';
  const left = fields.filter((field) => isRemoved(field) || isReplaced(field));
  const kept = fields.filter((field) => !isRemoved(field) && !isReplaced(field));
  const lacks = (name: string): boolean => fieldValue(fields, name.toLowerCase()) === undefined;
  const bcc = (hidden ?? []).map(({ address }) => address).join(',\r\n ');
  const pieces: Buffer[] = bcc === '' ? [] : [Buffer.from(`Bcc: ${bcc}\r\n`)];
  let at = 0;
  for (const { start, end } of left) {
    pieces.push(bytes.subarray(at, start));
    at = end;
  }
  return {
    bytes: withCrlf(left.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(at)])),
    missing: (['Date', 'Message-ID', 'MIME-Version'] as const).filter(lacks),
    removed: namesOf(fields.filter(isRemoved)),
    uncertain: namesOf(kept.filter((field) => !PASSED_ON.test(keyOf(field)))),
  };
};

const tooLarge = (bytes: number): readonly [Fault, string] => [
  {
    code: 'MAIL_TOO_LARGE',
    expected: `a message of at most ${MAX_MIME_BYTES} bytes, which is 4 MB in base64`,
  },
  `a message of ${bytes} bytes`,
];

/** A whole message in base64. */
export const mime = z.unknown().transform((input, context): ReadMime => {
  const tell = (fault: Fault, received?: string): void => report(context, fault, input, [], received);
  if (!isBase64Text(input)) {
    tell({ code: 'FIELD_INVALID', expected: 'text: the whole message in base64' });
    return z.NEVER;
  }
  const content: Base64Text = inOneLine(input);
  const fault = base64Fault(content);
  const bytes = decodedLength(content);
  if (fault !== undefined) tell(fault);
  else if (bytes > MAX_MIME_BYTES) tell(...tooLarge(bytes));
  else {
    const read = readMime(decodeRange(content, 0, bytes), (wrong) =>
      tell(wrong, `a message of ${bytes} bytes`),
    );
    if (read !== undefined) return read;
  }
  return z.NEVER;
});
