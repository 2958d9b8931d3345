import type { FieldRules } from './field-rules.ts';

/*
 * What Resend's API has in an email, and how its fields are called in ours. Its clients for JavaScript, PHP, Python, Go and .NET write the
 * same names (resend-openapi, SendEmailRequest).
 */

const NO_TEMPLATES = 'the finished text in `html` or `text`: the relay has no stored templates';

/** The fields of an email. */
export const EMAIL_RULES: FieldRules = {
  from: 'carried',
  to: 'carried',
  cc: 'carried',
  bcc: 'carried',
  reply_to: 'carried',
  subject: 'carried',
  html: 'carried',
  text: 'carried',
  headers: 'carried',
  attachments: 'carried',
  tags: 'carried',
  scheduled_at: 'carried',
  template: { refused: NO_TEMPLATES },
  react: { refused: 'the finished text in `html`: the client renders React before it sends the email' },
  topic_id: {
    refused:
      'an email without a topic: the relay keeps no subscriptions. Ask your own data who wants the email',
  },
};

/** The fields of an attachment. */
export const ATTACHMENT_RULES: FieldRules = {
  filename: 'carried',
  content: 'carried',
  content_type: 'carried',
  content_id: 'carried',
  inline_content_id: 'carried',
  path: {
    refused: 'the file itself in `content`, in base64: the relay does not fetch files from addresses',
  },
};

/** The fields of a tag. */
export const TAG_RULES: FieldRules = { name: 'carried', value: 'carried' };

/** What PATCH /emails/{id} has. */
export const UPDATE_RULES: FieldRules = { scheduled_at: 'carried', id: { refused: 'the ID in the address' } };

const THEIR_NAMES: Readonly<Record<string, string>> = {
  replyTo: 'reply_to',
  sendAt: 'scheduled_at',
  contentType: 'content_type',
  cid: 'content_id',
  idempotencyKey: 'Idempotency-Key',
};

const decoded = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

/**
 * The field of Resend that a JSON pointer into our email comes from, such as `attachments[0].content_id`. `headers` has the headers that
 * became fields of ours, by those.
 */
export const theirField = (pointer: string, headers: ReadonlyMap<string, string>): string => {
  const [first, ...inside] = pointer.split('/').slice(1).map(decoded);
  if (first === undefined) return '';
  const header = headers.get(first);
  if (header !== undefined) return `headers.${header}`;
  return [first, ...inside]
    .map((part, depth) =>
      /^\d+$/.test(part) ? `[${part}]` : `${depth > 0 ? '.' : ''}${THEIR_NAMES[part] ?? part}`,
    )
    .join('');
};

/** What is expected, with the fields of Resend where it names fields of ours. */
export const inTheirWords = (expected: string): string =>
  expected
    .replace(/the field `(\w+)` instead of this header/, (_, field: string) => {
      const theirs = THEIR_NAMES[field] ?? field;
      return Object.hasOwn(EMAIL_RULES, theirs)
        ? `the field \`${theirs}\` instead of this header, and only one of them`
        : `no such header beside another for the same: \`${field}\` of POST /api/v1/mail says it`;
    })
    .replace('the file in base64, or its name in blob', 'the file in base64');
