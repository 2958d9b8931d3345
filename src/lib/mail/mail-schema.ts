import * as z from 'zod';
import { defined } from '../defined.ts';
import { isAbsent, isObject, withoutAbsent } from './absent.ts';
import type { Address } from './address.ts';
import { attachments, cidFault } from './attachments.ts';
import { calendar } from './calendar.ts';
import { contentIdKey, referredContentIds } from './content-ids.ts';
import { sortFields } from './field-names.ts';
import { KEY_FORM, keyFault } from './idempotency-key.ts';
import { headers } from './mail-headers.ts';
import { messageId, references } from './message-ids.ts';
import { inWords, mimeNeeds } from './mime-needs.ts';
import { PRIORITIES } from './priority.ts';
import { mime, type RawMime } from './raw-mime.ts';
import { MAX_RECIPIENTS, recipients, sender, tooMany } from './recipients.ts';
import { list, report, text } from './schema-faults.ts';
import { sendAt } from './send-at-field.ts';
import { bodyFault, type Fault, lineFault, MALFORMED } from './text-rules.ts';

const MAX_TAGS = 10;
const TAG_RULE: Fault = {
  code: 'FIELD_INVALID',
  expected: 'a tag of 1 to 50 letters, digits, dots, dashes or underscores',
};

const tag = text((value) => lineFault(value) ?? (/^[\w.-]{1,50}$/.test(value) ? undefined : TAG_RULE));

const tags = list(
  MAX_TAGS,
  z.preprocess((written) => (isAbsent(written) ? undefined : written), tag.optional()),
).transform((read) => read.filter((one) => one !== undefined));

const idempotencyKey = z.string().check((rule) => {
  const fault = keyFault(rule.value);
  if (fault === undefined) return;
  // Half a character is told as that wherever it stands.
  if (!rule.value.isWellFormed()) report(rule, MALFORMED, rule.value);
  else
    report(
      rule,
      { code: 'IDEMPOTENCY_KEY_INVALID', expected: KEY_FORM },
      rule.value,
      [],
      `a text with ${fault}`,
    );
});

/** One of some words, in capitals or not. */
const word = <const Word extends string>(words: readonly Word[]) =>
  z.preprocess(
    (written) => (typeof written === 'string' && written.length < 20 ? written.toLowerCase() : written),
    z.enum(words),
  );

const nobody: readonly Address[] = [];

/** What the relay does with an email, whatever the email is made of. */
const handling = {
  idempotencyKey: idempotencyKey.optional(),
  onUnknown: word(['verify', 'hold', 'resend']).optional(),
  priority: word(PRIORITIES).optional(),
  sendAt: sendAt.optional(),
  tags: tags.default([]),
};

const fields = z.strictObject({
  from: sender.optional(),
  to: recipients.default(nobody),
  cc: recipients.default(nobody),
  bcc: recipients.default(nobody),
  replyTo: recipients.default(nobody),
  subject: text((value) => lineFault(value)),
  text: text(bodyFault).optional(),
  html: text(bodyFault).optional(),
  attachments: attachments.default([]),
  headers: headers.default([]),
  inReplyTo: messageId.optional(),
  references: references.default([]),
  messageId: messageId.optional(),
  calendar: calendar.optional(),
  importance: word(['low', 'normal', 'high']).default('normal'),
  saveToSentItems: z.boolean().default(true),
  readReceipt: z.boolean().default(false),
  deliveryReceipt: z.boolean().default(false),
  ...handling,
});

const MIME_FIELDS = ['mime', ...Object.keys(handling)];
/** The fields of an email. */
export const MAIL_FIELDS: readonly string[] = [...Object.keys(fields.shape), 'mime'];
const OPTIONAL = MAIL_FIELDS.filter((field) => field !== 'subject' && field !== 'text' && field !== 'html');

/** A body that is null is absent; an empty one too where the other is there. A mail may say all in its subject. */
const withOneBody = ({ text: plain, html, ...rest }: Record<string, unknown>): Record<string, unknown> => {
  const both = !isMissing(plain) && !isMissing(html);
  return {
    ...rest,
    ...(isMissing(plain) || (both && plain === '' && html !== '') ? {} : { text: plain }),
    ...(isMissing(html) || (both && html === '') ? {} : { html }),
  };
};

const isMissing = (value: unknown): boolean => value === undefined || value === null;

const checkRecipients = ({ to, cc, bcc }: z.output<typeof fields>, issues: unknown[]): void => {
  const counts = [to, cc, bcc].map((one) => one?.length ?? 0);
  const count = counts.reduce((sum, one) => sum + one, 0);
  if (count === 0)
    report(
      { issues },
      { code: 'RECIPIENT_MISSING', expected: 'at least one recipient in to, cc or bcc' },
      undefined,
      ['to'],
    );
  // A list that has too many by itself has been told of.
  if (count > MAX_RECIPIENTS && counts.every((one) => one <= MAX_RECIPIENTS)) {
    const named = ['to', 'cc', 'bcc'][counts.findIndex((one) => one > 0)] ?? 'to';
    report({ issues }, tooMany(count), undefined, [named]);
  }
};

const checkBody = ({ text: plain, html }: z.output<typeof fields>, issues: unknown[]): void => {
  if (plain === undefined && html === undefined)
    report({ issues }, { code: 'BODY_MISSING', expected: 'text or html' }, undefined, ['text']);
};

const isAscii = (text: unknown): boolean => typeof text !== 'string' || !/[^ -~]/.test(text);

/** Graph has no switch for the copy of MIME, and MIME has no place for two things that JSON carries. */
const checkMime = (mail: z.output<typeof fields>, issues: unknown[]): void => {
  const { headers: given, references: ids } = mail;
  if (!Array.isArray(given) || !Array.isArray(ids)) return;
  const needs = mimeNeeds(mail);
  const [first] = needs;
  if (first === undefined) return;
  const because = `because ${inWords(needs)}`;
  if (mail.saveToSentItems === false)
    report(
      { issues },
      {
        code: 'SENT_ITEMS_COPY_NEEDED',
        expected: `true, or an email without \`${first.pointer.slice(1)}\`: it goes as MIME ${because}`,
      },
      false,
      ['saveToSentItems'],
    );
  for (const field of ['from', 'to', 'cc', 'bcc', 'replyTo'] as const) {
    const addresses = [mail[field] ?? []].flat();
    const at = addresses.findIndex(({ address }) => !isAscii(address.slice(0, address.lastIndexOf('@'))));
    if (at !== -1)
      report(
        { issues },
        {
          code: 'ADDRESS_INVALID',
          expected: `ASCII before the @ of address number ${at + 1}: the email goes as MIME ${because}`,
        },
        addresses,
        [field],
      );
  }
  for (const [index, file] of (Array.isArray(mail.attachments) ? mail.attachments : []).entries())
    if (!isAscii(file?.cid))
      report(
        { issues },
        { code: 'FIELD_INVALID', expected: `a content id in ASCII: the email goes as MIME ${because}` },
        file.cid,
        ['attachments', index, 'cid'],
      );
};

/**
 * Mail clients show a file with a content id where the html refers to it, and nowhere else: one that nothing
 * refers to is hidden, and of two alike one is. Either is a mistake nobody would see.
 */
const checkContentIds = ({ html, attachments: files }: z.output<typeof fields>, issues: unknown[]): void => {
  if (!Array.isArray(files) || !(html === undefined || typeof html === 'string')) return;
  const keys = files.map((file) =>
    typeof file?.cid === 'string' && cidFault(file.cid) === undefined ? contentIdKey(file.cid) : undefined,
  );
  const asked = new Set(keys.filter((key) => key !== undefined));
  if (asked.size === 0) return;
  const referred = referredContentIds(html ?? '', asked);
  for (const [index, key] of keys.entries()) {
    if (key === undefined) continue;
    const at = ['attachments', index, 'cid'];
    if (keys.indexOf(key) < index)
      report({ issues }, { code: 'CID_REPEATED', expected: 'a different content id for each file' }, key, at);
    else if (!referred.has(key))
      report(
        { issues },
        { code: 'CID_UNUSED', expected: 'a content id that the html refers to with cid:' },
        key,
        at,
      );
  }
};

/**
 * Runs even when single fields are wrong, so that a caller learns of everything at once; a field that failed
 * is then not of its type, which is why each is looked at with care.
 */
const checkAsAWhole = (value: z.output<typeof fields>, { issues }: { readonly issues: unknown[] }): void => {
  if (!isObject(value)) return;
  checkRecipients(value, issues);
  checkBody(value, issues);
  checkContentIds(value, issues);
  checkMime(value, issues);
};

/** The mail contract of the HTTP body and the queue message. */
export const mailSchema = fields.superRefine(checkAsAWhole, { when: () => true });

/** Nothing, as serialisers write it; of lists too. */
const saysNothing = (value: unknown): boolean =>
  value === undefined || isAbsent(value) || (Array.isArray(value) && value.length === 0);

/** A whole message says all of the email itself. */
const checkNothingElse = (value: Readonly<Record<string, unknown>>, issues: unknown[]): void => {
  for (const [field, written] of Object.entries(value))
    if (!MIME_FIELDS.includes(field) && !saysNothing(written))
      report(
        { issues },
        {
          code: 'MIME_EXCLUDES_FIELD',
          expected: `nothing beside \`mime\` but ${MIME_FIELDS.slice(1).join(', ')}`,
        },
        written,
        [field],
      );
};

const rawSchema = z
  .looseObject({ mime, ...handling })
  .superRefine((value, { issues }) => checkNothingElse(value, issues), { when: () => true })
  .transform(
    ({ mime: message, idempotencyKey: key, onUnknown, priority, sendAt: due, tags: words }): Mail => ({
      ...message,
      ...defined({ idempotencyKey: key, onUnknown, priority, sendAt: due }),
      tags: words,
      replyTo: [],
      attachments: [],
      headers: [],
      references: [],
      importance: 'normal',
      saveToSentItems: true,
      readReceipt: false,
      deliveryReceipt: false,
    }),
  );

/** An email; with `raw` where it came as a whole message, whose other fields only say what its header says. */
export type Mail = z.output<typeof mailSchema> & { readonly raw?: RawMime };

/** Reads a mail, with what serialisers write for an absent field taken as absent. */
export const parseMail = (input: Record<string, unknown>) => {
  const { known, unknown } = sortFields(input, MAIL_FIELDS);
  // An empty message is a message that is wrong, and no email without one.
  const isRaw = !isMissing(known.mime);
  const { mime: whole, ...written } = known;
  const result = isRaw
    ? rawSchema.safeParse({ ...withoutAbsent(written, OPTIONAL), mime: whole })
    : (mailSchema.safeParse(withOneBody(withoutAbsent(written, OPTIONAL))) as z.ZodSafeParseResult<Mail>);
  return { unknown, fields: MAIL_FIELDS, ...result };
};
