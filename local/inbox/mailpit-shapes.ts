import type { CapturedMail, GraphMessage, GraphRecipient } from './captured-mail.ts';
import { textOfHtml } from './html-text.ts';
import { type MailPart, partsOf } from './mail-parts.ts';

/** Mailpit's API v1 (https://mailpit.axllent.org/docs/api-v1/), so that people's test tools work unchanged. */
export type MailpitAddress = { readonly Name: string; readonly Address: string };

type MailpitEnvelope = {
  readonly ID: string;
  /** Empty: Exchange assigns it after the 202, and does not tell. */
  readonly MessageID: string;
  readonly From: MailpitAddress;
  readonly To: readonly MailpitAddress[];
  readonly Cc: readonly MailpitAddress[];
  readonly Bcc: readonly MailpitAddress[];
  readonly ReplyTo: readonly MailpitAddress[];
  readonly Subject: string;
  readonly Tags: readonly string[];
  /** Bytes of the Graph request's body. */
  readonly Size: number;
};

export type MailpitSummary = MailpitEnvelope & {
  readonly Created: string;
  readonly Attachments: number;
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
export const toSummary = (mail: CapturedMail): MailpitSummary => ({
  ...toEnvelope(mail),
  Created: mail.acceptedAt,
  Attachments: partsOf(mail).filter((part) => !part.isInline).length,
  Snippet: firstCharacters(wordsOf(mail), SNIPPET_CHARACTERS),
});

/** An email in full. */
export const toMessage = (mail: CapturedMail): MailpitMessage => {
  const parts = partsOf(mail);
  return {
    ...toEnvelope(mail),
    Date: mail.acceptedAt,
    ReturnPath: mail.mailbox,
    Text: isHtml(mail) ? '' : contentOf(mail),
    HTML: isHtml(mail) ? contentOf(mail) : '',
    Attachments: parts.filter((part) => !part.isInline).map(toAttachment),
    Inline: parts.filter((part) => part.isInline).map(toAttachment),
  };
};

/** The header fields these Graph properties stand for, and those the sender added. */
export const toHeaders = (mail: CapturedMail): Record<string, string[]> => {
  const message = mail.request.body.message;
  const fields = new Map<string, string[]>();
  const add = (name: string, value: string) =>
    value !== '' && fields.set(name, [...(fields.get(name) ?? []), value]);
  add('From', addressLine([fromOf(mail)]));
  add('To', addressLine(addressesOf(message.toRecipients)));
  add('Cc', addressLine(addressesOf(message.ccRecipients)));
  add('Bcc', addressLine(addressesOf(message.bccRecipients)));
  add('Reply-To', addressLine(addressesOf(message.replyTo)));
  add('Subject', message.subject ?? '');
  add('Date', new Date(mail.acceptedAt).toUTCString());
  if (message.importance !== 'normal') add('Importance', message.importance ?? '');
  if (message.isReadReceiptRequested) add('Disposition-Notification-To', addressLine([fromOf(mail)]));
  if (message.isDeliveryReceiptRequested) add('Return-Receipt-To', addressLine([fromOf(mail)]));
  for (const { name, value } of message.internetMessageHeaders ?? []) add(name, value);
  return Object.fromEntries(fields);
};

/** The body as words, whichever way it was written. */
export const wordsOf = (mail: CapturedMail): string =>
  isHtml(mail) ? textOfHtml(contentOf(mail)) : contentOf(mail).replace(/\s+/gu, ' ').trim();

const toEnvelope = (mail: CapturedMail): MailpitEnvelope => {
  const message = mail.request.body.message;
  return {
    ID: mail.id,
    MessageID: '',
    From: fromOf(mail),
    To: addressesOf(message.toRecipients),
    Cc: addressesOf(message.ccRecipients),
    Bcc: addressesOf(message.bccRecipients),
    ReplyTo: addressesOf(message.replyTo),
    Subject: message.subject ?? '',
    Tags: message.categories ?? [],
    Size: Buffer.byteLength(JSON.stringify(mail.request.body)),
  };
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
