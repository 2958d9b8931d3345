import { addedHeaders } from './added-headers.ts';
import { sizeOfAttachment } from './attachment-content.ts';
import type { CapturedMail, GraphMessage, GraphRecipient } from './captured-mail.ts';
import { bareMessageId, referencesOf } from './conversation.ts';
import { textOfHtml } from './html-text.ts';
import { type MailPart, partsOf } from './mail-parts.ts';
import { relayIdOf } from './relay-id.ts';

/** Mailpit's API v1 (https://mailpit.axllent.org/docs/api-v1/), so that people's test tools work unchanged. */
export type MailpitAddress = { readonly Name: string; readonly Address: string };

type MailpitEnvelope = {
  readonly ID: string;
  /** Without angle brackets. Empty if only Exchange knows it. */
  readonly MessageID: string;
  /** Not of Mailpit: the Message-IDs that the email answers, if any. */
  readonly References?: readonly string[];
  /** Not of Mailpit: the id that the relay returned, where the email says it. */
  readonly RelayID?: string;
  readonly From: MailpitAddress;
  readonly To: readonly MailpitAddress[];
  readonly Cc: readonly MailpitAddress[];
  readonly Bcc: readonly MailpitAddress[];
  readonly ReplyTo: readonly MailpitAddress[];
  readonly Subject: string;
  readonly Tags: readonly string[];
  /** Bytes of the MIME, or of the Graph message and its large files. */
  readonly Size: number;
};

export type MailpitSummary = MailpitEnvelope & {
  readonly Created: string;
  readonly Attachments: number;
  /** Not of Mailpit: how many files are inline, if any. */
  readonly Inlines?: number;
  readonly Snippet: string;
};

export type MailpitMessage = MailpitEnvelope & {
  readonly Date: string;
  readonly ReturnPath: string;
  readonly Text: string;
  readonly HTML: string;
  readonly Attachments: readonly MailpitAttachment[];
  readonly Inline: readonly MailpitAttachment[];
};

type MailpitAttachment = {
  readonly PartID: string;
  readonly FileName: string;
  readonly ContentType: string;
  readonly ContentID: string;
  readonly Size: number;
};

/** Mailpit's own length. */
const SNIPPET_CHARACTERS = 250;

/** An email in a list. */
export const toSummary = (mail: CapturedMail): MailpitSummary => {
  const parts = partsOf(mail);
  const inlines = parts.filter((part) => part.isInline).length;
  return {
    ...toEnvelope(mail),
    Created: mail.acceptedAt,
    Attachments: parts.length - inlines,
    ...(inlines > 0 && { Inlines: inlines }),
    Snippet: firstCharacters(wordsOfBody(mail), SNIPPET_CHARACTERS),
  };
};

/** An email in full. */
export const toMessage = (mail: CapturedMail): MailpitMessage => {
  const parts = partsOf(mail);
  return {
    ...toEnvelope(mail),
    Date: mail.acceptedAt,
    ReturnPath: mail.mailbox,
    Text: isHtml(mail) ? (mail.text ?? '') : contentOf(mail),
    HTML: isHtml(mail) ? contentOf(mail) : '',
    Attachments: parts.filter((part) => !part.isInline).map(toAttachment),
    Inline: parts.filter((part) => part.isInline).map(toAttachment),
  };
};

/** The header fields that recipients see: those of the MIME, or those that the Graph properties mean and the sender added. */
export const toHeaders = (mail: CapturedMail): Record<string, string[]> => {
  const fields = new Map<string, string[]>();
  for (const { name, value } of mail.headers ?? fieldsOf(mail))
    if (value !== '' && !/^(?:resent-)?bcc$/i.test(name))
      fields.set(name, [...(fields.get(name) ?? []), value]);
  return Object.fromEntries(fields);
};

const fieldsOf = (mail: CapturedMail): NonNullable<CapturedMail['headers']> => {
  const message = mail.request.body.message;
  const from = addressLine([fromOf(mail)]);
  return [
    { name: 'From', value: from },
    { name: 'To', value: addressLine(addressesOf(message.toRecipients)) },
    { name: 'Cc', value: addressLine(addressesOf(message.ccRecipients)) },
    { name: 'Reply-To', value: addressLine(addressesOf(message.replyTo)) },
    { name: 'Subject', value: message.subject ?? '' },
    { name: 'Date', value: new Date(mail.acceptedAt).toUTCString() },
    { name: 'Message-ID', value: mail.internetMessageId ?? '' },
    { name: 'In-Reply-To', value: mail.inReplyTo ?? '' },
    { name: 'References', value: (mail.references ?? []).join(' ') },
    { name: 'Importance', value: message.importance === 'normal' ? '' : (message.importance ?? '') },
    { name: 'Disposition-Notification-To', value: message.isReadReceiptRequested ? from : '' },
    { name: 'Return-Receipt-To', value: message.isDeliveryReceiptRequested ? from : '' },
    ...addedHeaders(message),
  ];
};

/** What a search looks through: the words of both bodies. */
export const wordsOf = (mail: CapturedMail): string => `${wordsOfBody(mail)} ${mail.text ?? ''}`.trim();

const wordsOfBody = (mail: CapturedMail): string =>
  isHtml(mail) ? textOfHtml(contentOf(mail)) : contentOf(mail).replace(/\s+/gu, ' ').trim();

const toEnvelope = (mail: CapturedMail): MailpitEnvelope => {
  const message = mail.request.body.message;
  const references = referencesOf(mail);
  const relayId = relayIdOf(mail);
  return {
    ID: mail.id,
    MessageID: bareMessageId(mail.internetMessageId),
    ...(references.length === 0 ? {} : { References: references }),
    ...(relayId !== undefined && { RelayID: relayId }),
    From: fromOf(mail),
    To: addressesOf(message.toRecipients),
    Cc: addressesOf(message.ccRecipients),
    Bcc: addressesOf(message.bccRecipients),
    ReplyTo: addressesOf(message.replyTo),
    Subject: message.subject ?? '',
    Tags: mail.tags ?? message.categories ?? [],
    Size: sizeOf(mail),
  };
};

const sizeOf = ({ mime, request }: CapturedMail): number => {
  const large = (request.body.message.attachments ?? []).filter(
    ({ contentFile }) => contentFile !== undefined,
  );
  return large.reduce(
    (bytes, file) => bytes + sizeOfAttachment(file),
    mime === undefined ? Buffer.byteLength(JSON.stringify(request.body)) : Buffer.byteLength(mime, 'base64'),
  );
};

/** Without a `from`, Exchange writes the mailbox it is sent from. */
const fromOf = (mail: CapturedMail): MailpitAddress => {
  const from = mail.request.body.message.from;
  return from ? toAddress(from) : { Name: '', Address: mail.mailbox };
};

const addressesOf = (recipients: GraphMessage['toRecipients']): MailpitAddress[] =>
  (recipients ?? []).map(toAddress);

const toAddress = ({ emailAddress }: GraphRecipient): MailpitAddress => ({
  Name: emailAddress.name ?? '',
  Address: emailAddress.address,
});

const addressLine = (addresses: readonly MailpitAddress[]): string =>
  addresses
    .map(({ Name, Address }) =>
      Name === '' ? `<${Address}>` : `"${Name.replace(/["\\]/g, '\\$&')}" <${Address}>`,
    )
    .join(', ');

const toAttachment = (part: MailPart): MailpitAttachment => ({
  PartID: part.partId,
  FileName: part.fileName,
  ContentType: part.contentType,
  ContentID: part.contentId,
  Size: part.sizeBytes,
});

/** By code point: half an emoji or half a rare Han character is not text. */
const firstCharacters = (text: string, count: number): string =>
  [...text.slice(0, 2 * count)].slice(0, count).join('');

const contentOf = (mail: CapturedMail): string => mail.request.body.message.body?.content ?? '';

/** Graph takes `HTML` and `Html` too. */
const isHtml = (mail: CapturedMail): boolean =>
  mail.request.body.message.body?.contentType?.toLowerCase() === 'html';
