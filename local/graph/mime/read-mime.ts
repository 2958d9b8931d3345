import PostalMime, {
  type Attachment,
  addressParser,
  decodeWords,
  type Email,
  type Header,
} from 'postal-mime';
import type { GraphFileAttachment, GraphMessage, GraphRecipient } from '../../inbox/captured-mail.ts';
import { canonicalPropertyId } from '../extended-property.ts';
import { GraphError } from '../graph-error.ts';
import type { ReceivedMail } from '../received-mail.ts';
import { malformed, requireMimeStructure } from './mime-structure.ts';

/** PS_INTERNET_HEADERS: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops/ ; names are lower case. */
const INTERNET_HEADERS = '{00020386-0000-0000-C000-000000000046}';
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;
/** RFC 5322 section 3.6 and RFC 2045: fields that a header has once at most. */
const ONCE = new Set([
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'subject',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
]);
/** Bcc is for the sender alone; Exchange strips Auto-Submitted and writes Return-Path itself, as people found. */
const NOT_DELIVERED = new Set(['bcc', 'auto-submitted', 'return-path']);

/** Decodes the body of a request in MIME. Line breaks may stand anywhere in the base64. */
export const decodeMime = (body: Buffer): Buffer => {
  const text = body.toString('latin1').replaceAll(/[\r\n]/g, '');
  if (!BASE64.test(text))
    throw new GraphError(
      400,
      'ErrorMimeContentInvalidBase64String',
      'Invalid base64 string for MIME content.',
    );
  return Buffer.from(text, 'base64');
};

/** Reads MIME into what the same email would be as JSON, and what JSON cannot say. */
export const readMime = async (
  mime: Buffer,
  { headersAreProperties }: { readonly headersAreProperties: boolean },
): Promise<ReceivedMail> => {
  requireMimeStructure(mime);
  const email = await PostalMime.parse(mime, {
    forceRfc822Attachments: true,
    attachmentEncoding: 'base64',
  }).catch((error: Error) => {
    throw malformed(error.message);
  });
  requireFields(email.headers);
  const calendar = email.attachments.find(
    ({ mimeType, method, disposition }) =>
      mimeType === 'text/calendar' && method !== undefined && disposition !== 'attachment',
  );
  const { text, html, messageId, inReplyTo, references } = email;
  return {
    via: 'mime',
    body: { message: toMessage(email, calendar, headersAreProperties) },
    senders: mailboxesOf(email.headers, 'sender'),
    details: {
      mime: mime.toString('base64'),
      ...(html !== undefined && text !== undefined && { text }),
      ...(calendar && {
        calendar: {
          method: calendar.method ?? '',
          ics: Buffer.from(contentOf(calendar), 'base64').toString('utf8'),
        },
      }),
      ...(inReplyTo !== undefined && { inReplyTo }),
      ...(references !== undefined && { references: references.split(/\s+/) }),
      headers: email.headers
        .filter(({ key }) => !NOT_DELIVERED.has(key))
        .map(({ originalKey, value }) => ({ name: originalKey, value })),
    },
    ...(messageId !== undefined && { messageId }),
  };
};

const requireFields = (headers: readonly Header[]): void => {
  const repeated = headers.find(
    ({ key }, at) => ONCE.has(key) && headers.findIndex((header) => header.key === key) !== at,
  );
  if (repeated !== undefined)
    throw malformed(`it has the header ${repeated.originalKey} more than once; expected it once`);
  const senders = mailboxesOf(headers, 'from').length;
  if (senders !== 1) throw malformed(`its From has ${senders} addresses; expected one`);
};

const toMessage = (
  email: Email,
  calendar: Attachment | undefined,
  headersAreProperties: boolean,
): GraphMessage => {
  const { headers, html, text = '', subject, messageId } = email;
  const own = headers.filter(({ key }) => key.startsWith('x-'));
  const attachments = email.attachments.filter((attachment) => attachment !== calendar).map(toAttachment);
  const [from] = mailboxesOf(headers, 'from');
  const importance = importanceOf(headers);
  return {
    ...(subject !== undefined && { subject }),
    body:
      html === undefined ? { contentType: 'text', content: text } : { contentType: 'html', content: html },
    ...(from && { from }),
    toRecipients: mailboxesOf(headers, 'to'),
    ccRecipients: mailboxesOf(headers, 'cc'),
    bccRecipients: mailboxesOf(headers, 'bcc'),
    replyTo: mailboxesOf(headers, 'reply-to'),
    ...(importance && { importance }),
    ...(has(headers, 'disposition-notification-to') && { isReadReceiptRequested: true }),
    ...(has(headers, 'return-receipt-to') && { isDeliveryReceiptRequested: true }),
    ...(messageId !== undefined && { internetMessageId: messageId }),
    ...(own.length > 0 && {
      internetMessageHeaders: own.map(({ originalKey, value }) => ({
        name: originalKey,
        value: decodeWords(value),
      })),
    }),
    ...(own.length > 0 && headersAreProperties && { singleValueExtendedProperties: toProperties(own) }),
    ...(attachments.length > 0 && { attachments }),
  };
};

const toProperties = (headers: readonly Header[]) =>
  headers
    .filter(({ key }, at) => headers.findIndex((header) => header.key === key) === at)
    .map(({ key, value }) => ({ id: `String ${INTERNET_HEADERS} Name ${key}`, value: decodeWords(value) }))
    .filter(({ id }) => canonicalPropertyId(id) !== undefined);

const toAttachment = (attachment: Attachment, index: number): GraphFileAttachment => {
  const { filename, mimeType, disposition, related, contentId } = attachment;
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name:
      filename || (mimeType === 'message/rfc822' ? `message-${index + 1}.eml` : `attachment-${index + 1}`),
    contentType: mimeType,
    contentBytes: contentOf(attachment),
    isInline: related === true || disposition === 'inline',
    ...(contentId !== undefined && { contentId: contentId.replace(/^<|>$/g, '') }),
  };
};

/** Base64, as asked of the parser. */
const contentOf = ({ content }: Attachment): string =>
  typeof content === 'string' ? content : Buffer.from(content as Uint8Array).toString('base64');

const mailboxesOf = (headers: readonly Header[], key: string): GraphRecipient[] =>
  headers
    .filter((header) => header.key === key)
    .flatMap(({ value }) => addressParser(value, { flatten: true }))
    .map(({ name, address = '' }) => ({ emailAddress: name === '' ? { address } : { address, name } }));

const has = (headers: readonly Header[], key: string) => headers.some((header) => header.key === key);

const IMPORTANCE = new Map<string, 'low' | 'normal' | 'high'>([
  ['low', 'low'],
  ['normal', 'normal'],
  ['high', 'high'],
  ['1', 'high'],
  ['2', 'high'],
  ['4', 'low'],
  ['5', 'low'],
]);

const importanceOf = (headers: readonly Header[]) => {
  const found =
    headers.find(({ key }) => key === 'importance') ?? headers.find(({ key }) => key === 'x-priority');
  return IMPORTANCE.get(/^\s*(\w+)/.exec(found?.value ?? '')?.[1]?.toLowerCase() ?? '');
};
