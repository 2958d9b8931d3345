import type { FieldRules } from './field-rules.ts';

/*
 * The fields of Postmark's email (postmarkapp.com/developer/api/email-api) and what the façade does with each. A field that is
 * carried is read by the rules of our own email.
 */

const TEMPLATE =
  'Subject, HtmlBody and TextBody that the application has rendered: the relay stores no templates';

const isNone = (value: unknown): boolean => typeof value === 'string' && /^none$/i.test(value);
const isOutbound = (value: unknown): boolean => typeof value === 'string' && /^outbound$/i.test(value);

export const EMAIL_RULES = {
  From: 'carried',
  To: 'carried',
  Cc: 'carried',
  Bcc: 'carried',
  ReplyTo: 'carried',
  Subject: 'carried',
  TextBody: 'carried',
  HtmlBody: 'carried',
  Tag: 'carried',
  Metadata: 'carried',
  Headers: 'carried',
  Attachments: 'carried',
  MessageStream: {
    refused: 'outbound, or no MessageStream: the relay has no streams. To tell emails apart, use Tag',
    asksNothing: isOutbound,
  },
  TrackOpens: { refused: 'false, or no TrackOpens: the relay does not track' },
  TrackLinks: { refused: 'None, or no TrackLinks: the relay does not track', asksNothing: isNone },
  TemplateId: { refused: TEMPLATE },
  TemplateAlias: { refused: TEMPLATE },
  TemplateModel: { refused: TEMPLATE },
  InlineCss: { refused: 'HtmlBody with its CSS inline already: the relay does not change it' },
} as const satisfies FieldRules;

export const ATTACHMENT_RULES: FieldRules = {
  Name: 'carried',
  Content: 'carried',
  ContentType: 'carried',
  ContentID: 'carried',
  Disposition: 'carried',
  // Postmark.js has it, and the content says it too.
  ContentLength: {
    refused: 'the length as a number, or no ContentLength',
    asksNothing: (value) => typeof value === 'number',
  },
};

export const HEADER_RULES: FieldRules = { Name: 'carried', Value: 'carried' };

/** The field that a text of the relay means, in the words of Postmark. */
const THEIRS: Readonly<Record<string, string>> = {
  from: 'From',
  to: 'To',
  cc: 'Cc',
  bcc: 'Bcc',
  replyTo: 'ReplyTo',
  subject: 'Subject',
  text: 'TextBody',
  html: 'HtmlBody',
  attachments: 'Attachments',
  headers: 'Headers',
  tags: 'Tag and Metadata',
  messageId: 'Headers with the Name Message-ID',
  inReplyTo: 'Headers with the Name In-Reply-To',
  references: 'Headers with the Name References',
  importance: 'Headers with the Name Importance',
  filename: 'Name',
  content: 'Content',
  contentType: 'ContentType',
  cid: 'ContentID',
  idempotencyKey: 'Headers with the Name X-Idempotency-Key',
};

/** A text that names fields of our email, such as what a problem expects, with the fields of Postmark. */
export const inTheirWords = (text: string): string =>
  text
    .replace(/`(\w+)`/g, (whole, field: string) => {
      if (THEIRS[field] !== undefined) return `\`${THEIRS[field]}\``;
      // What only the API of the relay can say.
      return /^(?:readReceipt|deliveryReceipt|calendar)$/.test(field)
        ? `\`${field}\` of POST /api/v1/mail`
        : whole;
    })
    .replace(', Name <name@example.com> or { "name", "address" }', ' or Name <name@example.com>')
    .replace('in to, cc or bcc', 'in To, Cc or Bcc')
    .replace(/^text or html$/, 'TextBody or HtmlBody')
    .replace('the html refers', 'HtmlBody refers');

/** The object with each known name as Postmark writes it, whatever its case; what is there twice is in `repeated`. */
export const inTheirCase = (
  object: Readonly<Record<string, unknown>>,
  rules: FieldRules,
): { readonly fields: Readonly<Record<string, unknown>>; readonly repeated: readonly string[] } => {
  const names = new Map(Object.keys(rules).map((name) => [name.toLowerCase(), name]));
  const seen = new Set<string>();
  const repeated: string[] = [];
  const entries = Object.entries(object).map(([written, value]) => {
    const name = names.get(written.toLowerCase());
    if (name !== undefined && seen.has(name)) repeated.push(name);
    if (name !== undefined) seen.add(name);
    return [name ?? written, value] as const;
  });
  return { fields: Object.fromEntries(entries), repeated };
};
