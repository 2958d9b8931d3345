import PostalMime, {
  type Attachment,
  addressParser,
  decodeWords,
  type Email,
  type Header,
} from 'postal-mime';
import type { CapturedMail, GraphFileAttachment, GraphMessage, GraphRecipient } from './captured-mail.ts';

/** Bcc is for the sender alone; Exchange strips Auto-Submitted and writes Return-Path itself, as people found. */
const NOT_DELIVERED = new Set(['bcc', 'auto-submitted', 'return-path']);

/** A parsed message, in base64 what it has attached. */
export type ParsedMime = {
  readonly email: Email;
  readonly message: GraphMessage;
  readonly details: Pick<CapturedMail, 'mime' | 'text' | 'calendar' | 'inReplyTo' | 'references' | 'headers'>;
};

/** Reads MIME into what the same email would be as a message of Graph, and what that cannot say. Throws what the parser throws. */
export const parseMime = async (mime: Buffer): Promise<ParsedMime> => {
  const email = await PostalMime.parse(mime, {
    forceRfc822Attachments: true,
    attachmentEncoding: 'base64',
  });
  const calendar = email.attachments.find(
    ({ mimeType, method, disposition }) =>
      mimeType === 'text/calendar' && method !== undefined && disposition !== 'attachment',
  );
  const { text, html, inReplyTo, references } = email;
  return {
    email,
    message: toMessage(email, calendar),
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
  };
};

/** The headers of senders of MIME that recipients see. */
export const ownHeadersOf = ({ headers }: Email): Header[] =>
  headers.filter(({ key }) => key.startsWith('x-'));

const toMessage = (email: Email, calendar: Attachment | undefined): GraphMessage => {
  const { headers, html, text = '', subject, messageId } = email;
  const own = ownHeadersOf(email);
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
    ...(attachments.length > 0 && { attachments }),
  };
};

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

/** The addresses of the headers of a name. */
export const mailboxesOf = (headers: readonly Header[], key: string): GraphRecipient[] =>
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
