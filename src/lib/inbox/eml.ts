import MailComposer, {
  type MailComposerAttachment,
  type MailComposerOptions,
} from 'nodemailer/lib/mail-composer';
import { addedHeaders } from './added-headers.ts';
import { contentOfAttachment, type ReadElsewhere } from './attachment-content.ts';
import type { CapturedMail, GraphRecipient } from './captured-mail.ts';
import { partsOf } from './mail-parts.ts';

type Field = {
  readonly key: string;
  readonly value: string | { readonly prepared: true; readonly foldLines: true; readonly value: string };
};

/** RFC 5322, 3.6.8. */
const FIELD_NAME = /^[!-9;-~]+$/;
/** What the composer writes itself, and Bcc, which recipients never see. */
const COMPOSED =
  /^(?:from|to|cc|bcc|resent-bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*)$/i;
const LONGEST_FILE_NAME = 255;
/** The line break that ends the last header field. */
const END_OF_HEADERS = /(?:^|\r?\n)(?=\r?\n)/;
/** With its folded lines. `^` also matches after a bare CR, which some mail programs take for a line break. */
const BCC_FIELD = /^(?:resent-)?bcc[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r\n|\r|\n|$)/gim;

/**
 * The email as a file that mail clients open: the MIME as received without Bcc, otherwise composed from the Graph
 * message. A draft can get further files after its MIME, so it is composed too.
 */
export const toEml = async (mail: CapturedMail, readElsewhere: ReadElsewhere): Promise<Buffer> =>
  mail.mime === undefined || mail.via === 'draft'
    ? new MailComposer(await toComposed(mail, readElsewhere)).compile().build()
    : withoutBcc(Buffer.from(mail.mime, 'base64'));

/** Latin 1 maps each byte to one character and back, whatever the charset. */
const withoutBcc = (mime: Buffer): Buffer => {
  const text = mime.toString('latin1');
  const end = END_OF_HEADERS.exec(text);
  const bodyAt = end === null ? text.length : end.index + end[0].length;
  return Buffer.from(text.slice(0, bodyAt).replace(BCC_FIELD, '') + text.slice(bodyAt), 'latin1');
};

const toComposed = async (mail: CapturedMail, readElsewhere: ReadElsewhere): Promise<MailComposerOptions> => {
  const { message } = mail.request.body;
  const content = message.body?.content ?? '';
  const isHtml = message.body?.contentType?.toLowerCase() === 'html';
  const text = isHtml ? mail.text : content;
  return {
    from: message.from ? toAddresses([message.from]) : mail.mailbox,
    to: toAddresses(message.toRecipients),
    cc: toAddresses(message.ccRecipients),
    replyTo: toAddresses(message.replyTo),
    subject: message.subject,
    date: new Date(mail.acceptedAt),
    // Exchange's own id is not known for each email; .invalid can never be a real one (RFC 2606).
    messageId: mail.internetMessageId ?? `<${mail.id}@inbox.invalid>`,
    inReplyTo: mail.inReplyTo,
    references: mail.references === undefined ? undefined : [...mail.references],
    headers: mail.headers === undefined ? fieldsOfMessage(mail) : fieldsOfMime(mail.headers),
    text: text === undefined ? undefined : withCrlf(text),
    html: isHtml ? withCrlf(content) : undefined,
    alternatives:
      mail.calendar === undefined
        ? []
        : [{ contentType: calendarTypeOf(mail.calendar.method), content: withCrlf(mail.calendar.ics) }],
    attachments: await toFiles(mail, readElsewhere),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
};

const toAddresses = (recipients: readonly GraphRecipient[] = []) =>
  recipients.flatMap(({ emailAddress: { name = '', address } }) =>
    address === '' ? [] : [{ name, address }],
  );

const fieldsOfMime = (headers: NonNullable<CapturedMail['headers']>): Field[] =>
  headers.flatMap(({ name, value }) => (COMPOSED.test(name) ? [] : toField(name, value)));

/** The header fields that these Graph properties mean, and those that the sender added. */
const fieldsOfMessage = ({ mailbox, request }: CapturedMail): Field[] => {
  const { message } = request.body;
  const from = `<${message.from?.emailAddress.address ?? mailbox}>`;
  return [
    ...(message.importance === undefined || message.importance === 'normal'
      ? []
      : toField('Importance', message.importance)),
    ...(message.isReadReceiptRequested ? toField('Disposition-Notification-To', from) : []),
    ...(message.isDeliveryReceiptRequested ? toField('Return-Receipt-To', from) : []),
    ...addedHeaders(message).flatMap(({ name, value }) => (COMPOSED.test(name) ? [] : toField(name, value))),
  ];
};

/** Programs read URLs in lists (RFC 2369), where a quote is no reason for encoded words. */
const toField = (key: string, value: string): Field[] => {
  if (!FIELD_NAME.test(key) || value === '') return [];
  const isForPrograms = /^list-/i.test(key) && /^[ -~]*$/.test(value);
  return [{ key, value: isForPrograms ? { prepared: true, foldLines: true, value: value.trim() } : value }];
};

const toFiles = async (
  mail: CapturedMail,
  readElsewhere: ReadElsewhere,
): Promise<MailComposerAttachment[]> => {
  const parts = partsOf(mail);
  const files: MailComposerAttachment[] = [];
  for (const [index, attachment] of (mail.request.body.message.attachments ?? []).entries()) {
    const { fileName, contentType, contentId, isInline } = parts[index]!;
    files.push({
      ...(fileName === '' ? {} : { filename: toFileName(fileName) }),
      // A file that calls itself multipart would be taken for a part of this email's own structure.
      contentType: contentType.startsWith('multipart/') ? 'application/octet-stream' : contentType,
      contentDisposition: isInline ? 'inline' : 'attachment',
      content: await contentOfAttachment(mail, attachment, readElsewhere),
      ...(contentId !== '' && isInline ? { cid: contentId } : {}),
      ...(contentId !== '' && !isInline ? { headers: [{ key: 'Content-ID', value: contentId }] } : {}),
    });
  }
  return files;
};

/** No directories, and no longer than a file system takes. */
const toFileName = (name: string): string =>
  name.slice(0, LONGEST_FILE_NAME).toWellFormed().replace(/[/\\]/g, '_');

const calendarTypeOf = (method: string): string =>
  /^[A-Za-z-]{1,40}$/.test(method)
    ? `text/calendar; charset=utf-8; method=${method.toUpperCase()}`
    : 'text/calendar; charset=utf-8';

const withCrlf = (text: string): string => text.replace(/\r\n|\r|\n/g, '\r\n');
