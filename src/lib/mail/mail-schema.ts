import mime from 'mime';
import { z } from 'zod';
import type { ErrorCode } from '../error-catalogue.ts';
import { type Address, isAddress, parseAddresses } from './address.ts';

/** Exchange Online's default for one message (graph: resource type message). */
const MAX_RECIPIENTS = 500;
/** Graph answers InvalidInternetMessageHeaderCollection above it. */
const MAX_HEADERS = 5;
/** RFC 5322, 2.1.1: a header line has at most 998 characters. */
const MAX_HEADER_LINE = 998;
const MAX_TAGS = 10;

type Report = { issues: unknown[] };

/** Adds a problem of our catalogue; `mail-problems.ts` turns it into the answer. */
const report = (
  context: Report,
  code: ErrorCode,
  expected: string,
  input: unknown,
  path: PropertyKey[] = [],
) => {
  context.issues.push({ code: 'custom', message: expected, input, path, params: { problem: code } });
};

const LINE_RULE = 'one line of text without control characters';
const UNICODE_RULE = 'well-formed Unicode without half characters';

type TextRule = { value: string; issues: unknown[] };

const wellFormed = (rule: TextRule): void => {
  if (!rule.value.isWellFormed()) report(rule, 'TEXT_MALFORMED', UNICODE_RULE, rule.value);
};

const oneLine = (rule: TextRule): void => {
  wellFormed(rule);
  if (/[^\P{Cc}\t]/u.test(rule.value)) report(rule, 'LINE_BREAK_NOT_ALLOWED', LINE_RULE, rule.value);
};

const body = () => z.string().check(wellFormed);
/** A value that becomes a mail header: a line break in it would let a caller add headers of his own. */
const headerText = (max = MAX_HEADER_LINE) => z.string().max(max).check(oneLine);

const recipientObject = z.strictObject({ name: headerText().optional(), address: z.string() });
const recipient = z.union([z.string(), recipientObject]);
const ADDRESS_RULE = 'name@example.com, Name <name@example.com> or { "name", "address" }';

type RecipientInput = z.output<typeof recipient>;

/** Stands for a recipient that was refused, so that the mail does not seem to have none. */
const REFUSED: readonly Address[] = [{ address: '' }];

/** One written recipient: a string can hold several. Reports what is wrong at `path`. */
const readRecipient = (input: RecipientInput, context: Report, path: PropertyKey[]): readonly Address[] => {
  const text = typeof input === 'string' ? input : input.address;
  const at = typeof input === 'string' ? path : [...path, 'address'];
  if (/\p{Cc}/u.test(text)) {
    report(context, 'LINE_BREAK_NOT_ALLOWED', LINE_RULE, text, at);
    return REFUSED;
  }
  if (typeof input !== 'string') {
    const address = text.trim();
    if (!isAddress(address))
      report(context, 'ADDRESS_INVALID', 'one address such as name@example.com', text, at);
    return [input.name ? { name: input.name, address } : { address }];
  }
  const addresses = text.isWellFormed() ? parseAddresses(text) : undefined;
  if (addresses === undefined) report(context, 'ADDRESS_INVALID', ADDRESS_RULE, text, at);
  return addresses ?? REFUSED;
};

const reportTooMany = (context: Report, count: number, input: unknown, path: PropertyKey[]): void =>
  report(context, 'RECIPIENTS_TOO_MANY', `at most ${MAX_RECIPIENTS} recipients, not ${count}`, input, path);

const recipients = z
  .union([z.string(), recipientObject, z.array(recipient)])
  .transform((input, context): readonly Address[] => {
    let count = 0;
    const read = (Array.isArray(input) ? input : [input]).flatMap((one, index) => {
      // What is more than a mail may have is counted only: reading it takes time.
      const addresses =
        count > MAX_RECIPIENTS ? REFUSED : readRecipient(one, context, Array.isArray(input) ? [index] : []);
      count += addresses.length;
      return addresses;
    });
    if (count > MAX_RECIPIENTS) reportTooMany(context, count, input, []);
    return read;
  });

const sender = recipient.transform((input, context): Address => {
  const addresses = readRecipient(input, context, []);
  const [address] = addresses;
  if (addresses.length > 1) report(context, 'ADDRESS_INVALID', 'exactly one sender', input);
  return address ?? { address: '' };
});

const isBase64 = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

const attachment = z
  .strictObject({
    filename: headerText(255)
      .min(1)
      .refine((name) => !/[/\\]/.test(name), 'a file name without slashes'),
    contentType: headerText(255)
      .regex(/^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/, 'a media type such as application/pdf')
      .optional(),
    content: z.string().check((rule) => {
      if (!isBase64(rule.value)) report(rule, 'BASE64_INVALID', 'standard base64 with padding', rule.value);
    }),
    cid: headerText(255)
      .min(1)
      .regex(/^[^\s<>]+$/, 'a content id without spaces or angle brackets')
      .optional(),
  })
  .transform(({ contentType, ...rest }) => ({
    ...rest,
    contentType: contentType ?? mime.getType(rest.filename) ?? 'application/octet-stream',
  }));

/** RFC 5322 field name: printable ASCII but the colon. */
const HEADER_NAME = /^[!-9;-~]+$/;

const headers = z
  .record(z.string(), headerText())
  .check(({ value, issues }) => {
    const names = Object.keys(value);
    if (names.length > MAX_HEADERS)
      report({ issues }, 'HEADERS_TOO_MANY', `at most ${MAX_HEADERS} headers`, value);
    for (const name of names) {
      if (/\p{Cc}/u.test(name)) report({ issues }, 'LINE_BREAK_NOT_ALLOWED', LINE_RULE, name, [name]);
      else if (!/^x-/i.test(name) || !HEADER_NAME.test(name))
        report({ issues }, 'HEADER_NOT_CARRIED', 'a header name that begins with x-', name, [name]);
    }
  })
  .transform((value) => Object.entries(value).map(([name, text]) => ({ name, value: text })));

const nobody: readonly Address[] = [];

const fields = z.strictObject({
  from: sender.optional(),
  to: recipients.default(nobody),
  cc: recipients.default(nobody),
  bcc: recipients.default(nobody),
  replyTo: recipients.default(nobody),
  subject: headerText(),
  text: body().optional(),
  html: body().optional(),
  attachments: z.array(attachment).default([]),
  headers: headers.default([]),
  importance: z.enum(['low', 'normal', 'high']).default('normal'),
  saveToSentItems: z.boolean().default(true),
  readReceipt: z.boolean().default(false),
  deliveryReceipt: z.boolean().default(false),
  idempotencyKey: headerText(255).min(1).optional(),
  onUnknown: z.enum(['verify', 'hold', 'resend']).optional(),
  tags: z
    .array(
      z.string().regex(/^[\w.-]{1,50}$/, 'a tag of 1 to 50 letters, digits, dots, dashes or underscores'),
    )
    .max(MAX_TAGS)
    .default([]),
});

/**
 * Runs even when single fields are wrong, so that a caller learns of everything at once; a field that failed
 * is then not of its type, which is why each is looked at with care.
 */
const crossChecks = z.check<z.output<typeof fields>>(({ value, issues }) => {
  if (typeof value !== 'object' || value === null) return;
  const lists = [value.to, value.cc, value.bcc];
  if (lists.every((list) => list === undefined || (Array.isArray(list) && list.length === 0)))
    report({ issues }, 'RECIPIENT_MISSING', 'at least one recipient in to, cc or bcc', undefined, ['to']);
  const counts = lists.map((list) => (Array.isArray(list) ? list.length : 0));
  const count = counts.reduce((sum, one) => sum + one, 0);
  // A list that has too many by itself has been told of.
  if (count > MAX_RECIPIENTS && counts.every((one) => one <= MAX_RECIPIENTS)) {
    const named = (['to', 'cc', 'bcc'] as const).find((field) => value[field].length > 0) ?? 'to';
    reportTooMany({ issues }, count, value[named], [named]);
  }
  if (value.text === undefined && value.html === undefined)
    report({ issues }, 'BODY_MISSING', 'text or html', undefined, ['text']);
  if (value.text !== undefined && value.html !== undefined)
    report({ issues }, 'BODY_TEXT_AND_HTML', 'only one of text and html', value.html, ['html']);
});
crossChecks._zod.def.when = () => true;

/** The mail contract of the HTTP body and the queue message. */
export const mailSchema = fields.check(crossChecks);

export type Mail = z.output<typeof mailSchema>;
