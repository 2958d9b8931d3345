import { callerSchema } from '../../src/lib/callers/caller-definition.ts';
import { MAX_BATCH } from '../../src/lib/delivery/send-batch.ts';
import {
  MAX_LIMIT,
  type SEARCH_PARAMETERS,
  SEARCH_STATES,
  USUAL_LIMIT,
} from '../../src/lib/desk/read-search.ts';
import { mailSchema } from '../../src/lib/mail/mail-schema.ts';
import { PRIORITIES } from '../../src/lib/mail/priority.ts';
import { MAX_RECIPIENTS } from '../../src/lib/mail/recipients.ts';
import { type JsonSchema, readBy, refTo } from './json-schema.ts';

/*
 * What the relay reads. The fields, their types, words and defaults come from the schemas that read them; what code of their own checks is
 * said here. The tests give the readers what these schemas allow and what they forbid.
 */

type Field = { readonly description: string; readonly [keyword: string]: unknown };
type FieldsOf<Schema extends { readonly shape: object }> = Readonly<Record<keyof Schema['shape'], Field>>;

const of = (description: string, keywords: JsonSchema = {}): Field => ({ description, ...keywords });

const listOf = (items: JsonSchema, maxItems: number): JsonSchema => ({
  type: 'array',
  items,
  minItems: 1,
  maxItems,
});
const wholeNumber = (maximum: number): JsonSchema => ({ type: 'integer', minimum: 1, maximum });
const has = (...fields: readonly string[]): JsonSchema => ({ required: fields });
const hasNone = (...fields: readonly string[]): JsonSchema => ({
  allOf: fields.map((field) => ({ not: has(field) })),
});
/** Rules between fields. Below `not`, where generators of clients do not take them for types that a class is made of. */
const never = (...cases: readonly JsonSchema[]): JsonSchema => ({ not: { anyOf: cases } });

const EMAIL_ADDRESS = { type: 'string', maxLength: 318, examples: ['chan@contoso.example'] };
const ADDRESS_PATTERN = { type: 'string', examples: ['*@contoso.example'] };
const TAG = { type: 'string', pattern: '^[\\w.-]{1,50}$', examples: ['payroll'] };
const TAGS = { type: 'array', items: TAG, maxItems: 10 };
const HEADER_LINE = 998;
const MESSAGE_ID = { type: 'string', maxLength: 502, examples: ['<order-7@contoso.example>'] };
const BLOB_NAME = { type: 'string', minLength: 1, maxLength: 1024, examples: ['2026/11/report.pdf'] };
const CLIENT_ID = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
  examples: ['11111111-2222-3333-4444-555555555555'],
};

const HANDLING = {
  idempotencyKey: of(
    'A text that means this one email. A repeated request with the same key does not create a second email. The same as the header `Idempotency-Key`.',
    { minLength: 1, maxLength: 255, pattern: '^[!-~]+$', examples: ['payslip-2026-11-1042'] },
  ),
  onUnknown: of(
    'What the relay does if the outcome is unknown. Without it, the setting `MAIL_ON_UNKNOWN` applies.',
  ),
  priority: of(
    'How soon the relay sends the email if its mailbox has more to send than Exchange allows. Without it, the rule of the caller applies, or else `normal`. Recipients do not see it: see `importance`.',
  ),
  sendAt: of('When the relay sends the email: with the offset from UTC, at most 30 days ahead.', {
    type: 'string',
    format: 'date-time',
    examples: ['2026-12-01T09:00:00+01:00'],
  }),
  tags: of('Words of your own. They appear in logs, the status and events.', TAGS),
};

const MAIL: FieldsOf<typeof mailSchema> = {
  from: of(
    'The sender: an address that the settings allow. Without it, the relay uses the default sender.',
    refTo('Recipient'),
  ),
  to: of(
    `Recipients: at least one, and at most ${MAX_RECIPIENTS} in \`to\`, \`cc\` and \`bcc\` together.`,
    refTo('Recipients'),
  ),
  cc: of('Recipients of a copy.', refTo('Recipients')),
  bcc: of('Recipients of a copy that the others do not see.', refTo('Recipients')),
  replyTo: of('Where replies go.', refTo('Recipients')),
  subject: of('One line. An empty text sends an email without a subject.', { maxLength: HEADER_LINE }),
  text: of('The body as plain text. An email has `text`, `html` or both.'),
  html: of('The body as HTML.'),
  attachments: of('Files.', { type: 'array', items: refTo('Attachment'), maxItems: 250 }),
  headers: of('Headers by name, such as `x-ticket`. The relay rejects those that it writes itself.', {
    type: 'object',
    additionalProperties: { type: 'string', maxLength: HEADER_LINE },
    maxProperties: 50,
  }),
  inReplyTo: of('The message id of the email that this one answers.', MESSAGE_ID),
  references: of('The message ids of the thread, oldest first.', {
    type: 'array',
    items: MESSAGE_ID,
    maxItems: 100,
  }),
  messageId: of('The message id of this email. Exchange may replace it.', MESSAGE_ID),
  calendar: of('An invitation, its answer or its cancellation.', refTo('Calendar')),
  importance: of(
    'How important the email is, for recipients to see. It changes nothing in how the relay sends it.',
    { default: 'normal' },
  ),
  saveToSentItems: of(
    'Whether a copy is kept in Sent Items. Without it, the relay cannot look up an unknown outcome.',
  ),
  readReceipt: of('Whether the sender asks for a read receipt.'),
  deliveryReceipt: of('Whether the sender asks for a delivery receipt.'),
  ...HANDLING,
};

const ATTACHMENT: Readonly<Record<string, Field>> = {
  filename: of('The name that recipients see. Optional beside `blob`.', {
    minLength: 1,
    maxLength: 255,
    examples: ['report.pdf'],
  }),
  contentType: of('The media type. Without it, the relay derives it from the name.', {
    maxLength: 255,
    examples: ['application/pdf'],
  }),
  content: of('The file in base64. Either `content` or `blob`.', {
    type: 'string',
    contentEncoding: 'base64',
  }),
  blob: of('The name of a file in the container `mail-attachments`.', BLOB_NAME),
  cid: of('Makes the file inline: `html` must refer to it with `cid:`.', {
    minLength: 1,
    maxLength: 255,
    pattern: '^[^\\s<>]+$',
  }),
};

const CALENDAR: Readonly<Record<string, Field>> = {
  method: of('The method of RFC 5546, the same as in the calendar object.'),
  ics: of('One iCalendar object (RFC 5545).', { maxLength: 1_000_000 }),
};

const RULES: Omit<FieldsOf<typeof callerSchema>, 'name'> = {
  senders: of(
    'The addresses that it can send from; `*@domain` for every address of a domain.',
    listOf(ADDRESS_PATTERN, 100),
  ),
  defaultSender: of('The sender of an email without `from`.', refTo('Recipient')),
  recipients: of('The recipients that it can send to; `*` for everyone.', listOf(ADDRESS_PATTERN, 100)),
  mailsPerDay: of('Emails from midnight to midnight UTC.', wholeNumber(10_000_000)),
  recipientsPerDay: of('Recipients of all emails from midnight to midnight UTC.', wholeNumber(10_000_000)),
  maxMailBytes: of(
    'Bytes of the body and files of one email, before any encoding.',
    wholeNumber(200_000_000),
  ),
  doors: of('The ways by which it can send.', listOf({ type: 'string', enum: ['http', 'queue'] }, 2)),
  reads: of('Which emails it can get the status of.', {
    type: 'string',
    enum: ['own', 'all'],
    default: 'own',
  }),
  onUnknown: of('What the relay does if the outcome of an email is unknown and the email does not say.', {
    type: 'string',
    enum: ['verify', 'hold', 'resend'],
  }),
  priority: of('The priority of its emails that say none, and the highest that they can have.', {
    type: 'string',
    enum: PRIORITIES,
  }),
  tags: of('Added to every email of this caller.', listOf(TAG, 10)),
  owner: of('The address that receives warnings about this caller.', EMAIL_ADDRESS),
  disabled: of('Whether it is switched off.', { default: false }),
  apps: of('Client IDs of applications or managed identities in Entra.', listOf(CLIENT_ID, 20)),
  functionKeys: of(
    'What the ledger calls the holders of function keys, never the keys themselves.',
    listOf({ type: 'string', pattern: '^key:[\\w-]{10}$', examples: ['key:Zk3fT0a9Qe'] }, 10),
  ),
};

/** The fields of an object that a schema reads, with what is said of them. Throws for a field of which nothing is said. */
const withNotes = (
  schema: JsonSchema,
  notes: Readonly<Record<string, Field>>,
): Readonly<Record<string, JsonSchema>> => {
  const properties = schema.properties as Readonly<Record<string, JsonSchema>>;
  return Object.fromEntries(
    Object.entries(properties).map(([name, read]) => {
      const note = notes[name];
      if (note === undefined)
        throw new Error(
          `Expected a note on the field ${name} in scripts/openapi/request-schemas.ts, found none.`,
        );
      const whole = '$ref' in note ? note : { ...read, ...note };
      if (!('type' in whole) && !('$ref' in whole))
        throw new Error(
          `Expected in scripts/openapi/request-schemas.ts the type of the field ${name}, which zod does not know.`,
        );
      return [name, whole];
    }),
  );
};

/** Some generators of clients take a field with a default for one that must be sent. So words say it. */
export const withDefaultInWords = ({ default: usual, ...schema }: JsonSchema): JsonSchema =>
  usual === undefined ? schema : { ...schema, description: `${schema.description} Default: \`${usual}\`.` };

const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
  rest: JsonSchema,
): JsonSchema => ({
  type: 'object',
  ...rest,
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, one]) => [name, withDefaultInWords(one)]),
  ),
  ...(required.length === 0 ? {} : { required }),
  additionalProperties: false,
});

const mailRead = readBy(mailSchema);
const attachmentRead = (readBy(mailSchema.shape.attachments).items ?? {}) as JsonSchema;
const callerRead = readBy(callerSchema);
const rules = withNotes(
  {
    properties: Object.fromEntries(
      Object.entries(callerRead.properties as object).filter(([name]) => name !== 'name'),
    ),
  },
  RULES,
);
const callerName = of('2 to 40 lower-case letters, digits and single dashes, beginning with a letter.', {
  type: 'string',
  minLength: 2,
  maxLength: 40,
  pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
});
const functionKey = of('A function key that the application has. The relay keeps its hash.', {
  type: 'string',
});
/** As generators of clients know it: a second type, and for a schema with a name the choice of another. */
const nullable = ({ description, ...schema }: JsonSchema): JsonSchema => {
  if ('$ref' in schema) return { description, anyOf: [schema, { type: 'null' }] };
  const words = schema.enum as readonly unknown[] | undefined;
  return {
    description,
    ...schema,
    type: [schema.type, 'null'],
    ...(words === undefined ? {} : { enum: [...words, null] }),
  };
};

const TIME = 'A time with its offset, a date, or how long ago, such as `90m`, `2h` or `7d`.';

/** What an email can be found by; in the address each is a parameter. */
export const searchFields: Readonly<Record<(typeof SEARCH_PARAMETERS)[number], Field>> = {
  state: of('The state; `bounced` is a sent email that a recipient did not get.', {
    type: 'string',
    enum: SEARCH_STATES,
  }),
  sender: of('The address that it was sent from.', EMAIL_ADDRESS),
  caller: of('Whose email it is.', { type: 'string', maxLength: 100 }),
  tag: of('One of its tags.', TAG),
  from: of(`Received at this time or later. ${TIME}`, { type: 'string' }),
  until: of(`Received before this time. ${TIME}`, { type: 'string' }),
  recipient: of('The address of a recipient.', EMAIL_ADDRESS),
  idempotencyKey: of('The idempotency key.', { type: 'string', maxLength: 255, pattern: '^[!-~]+$' }),
  graphRequestId: of('The request id of Graph.', { type: 'string', format: 'uuid' }),
  internetMessageId: of('The Message-ID.', { type: 'string', maxLength: 998 }),
  limit: of('How many are on a page.', {
    type: 'integer',
    minimum: 1,
    maximum: MAX_LIMIT,
    default: USUAL_LIMIT,
  }),
  after: of('The `next` of the page before.', { type: 'string' }),
};

const RECIPIENT = [{ type: 'string', examples: ['Chan Tai-man <chan@contoso.example>'] }, refTo('Address')];

/** The schemas by the names that clients see. */
export const requestSchemas: Readonly<Record<string, JsonSchema>> = {
  Email: object(withNotes(mailRead, MAIL), ['subject'], {
    description:
      'An email. It needs a recipient in `to`, `cc` or `bcc`, and `text` or `html`. `null` and an empty text in an optional field mean that it is absent.',
    ...never(hasNone('to', 'cc', 'bcc'), hasNone('text', 'html')),
  }),
  WholeMessage: object(
    {
      mime: of(
        'A whole message (RFC 5322) in base64, as MIME libraries make it, or the name of a file in storage.',
        {
          anyOf: [
            { type: 'string', contentEncoding: 'base64', contentMediaType: 'message/rfc822' },
            object(
              { blob: of('The name of a file in the container `mail-attachments`.', BLOB_NAME) },
              ['blob'],
              {},
            ),
          ],
        },
      ),
      ...withNotes(
        {
          properties: Object.fromEntries(
            Object.keys(HANDLING).map((name) => [
              name,
              (mailRead.properties as Record<string, JsonSchema>)[name] ?? {},
            ]),
          ),
        },
        HANDLING,
      ),
    },
    ['mime'],
    {
      description:
        'An email that is a whole message. Sender, recipients, subject and body are in the message.',
    },
  ),
  EmailOrMessage: {
    description: 'An email by its fields, or as a whole message.',
    anyOf: [refTo('Email'), refTo('WholeMessage')],
  },
  Recipients: {
    description:
      'One or more recipients. A text can hold several addresses, separated by commas or semicolons.',
    anyOf: [...RECIPIENT, { type: 'array', items: { anyOf: RECIPIENT }, maxItems: MAX_RECIPIENTS }],
  },
  Recipient: { description: 'One address: `name@example.com`, or with a name.', anyOf: RECIPIENT },
  Address: object(
    {
      name: of('The name of the person.', {
        type: 'string',
        maxLength: HEADER_LINE,
        examples: ['Chan Tai-man'],
      }),
      address: of('The address.', EMAIL_ADDRESS),
    },
    ['address'],
    { description: 'An address with a name.' },
  ),
  Attachment: object(withNotes(attachmentRead, ATTACHMENT), [], {
    description: 'A file, in the email or in storage.',
    ...never(has('content', 'blob'), hasNone('content', 'blob'), hasNone('filename', 'blob')),
  }),
  Calendar: object(withNotes(readBy(mailSchema.shape.calendar), CALENDAR), ['method', 'ics'], {
    description: 'A calendar object that mail clients show as an invitation.',
  }),
  Batch: object(
    {
      mails: of('The emails. Each can have its own `idempotencyKey`.', {
        type: 'array',
        items: refTo('EmailOrMessage'),
        minItems: 1,
        maxItems: MAX_BATCH,
      }),
    },
    ['mails'],
    { description: 'Several emails, each with its own outcome.' },
  ),
  TestMail: object(
    {
      to: of('Who receives the test email.', EMAIL_ADDRESS),
      from: of('The sender. Without it, the default sender.', EMAIL_ADDRESS),
    },
    ['to'],
    { description: 'A test email.' },
  ),
  MailSearch: object(searchFields, [], {
    description: 'What emails are found by. Everything that is given must fit.',
  }),
  ClosingNote: object(
    { note: of('Why the email is closed. One line.', { type: 'string', minLength: 1, maxLength: 500 }) },
    ['note'],
    { description: 'Why an operator closes an email.' },
  ),
  CallerDefinition: object({ name: callerName, ...rules, functionKey }, ['name'], {
    description: 'A caller and its rules. A rule that is absent limits nothing.',
  }),
  CallerChange: object(
    {
      ...Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, nullable(rule)])),
      functionKey,
    },
    [],
    { description: 'The rules that change. `null` lifts a rule; what is absent stays.' },
  ),
};
