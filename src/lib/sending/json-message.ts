import type { Address } from '../mail/address.ts';
import { encodedLength, writeBase64 } from '../mail/base64-text.ts';
import { isListUnsubscribe } from '../mail/header-policy.ts';
import type { OutgoingFile, OutgoingMail } from './outgoing-mail.ts';

/**
 * The named property every mail carries, to find it again in Sent Items. Recipients never see it; headers
 * would not do, as Graph does not show them on sent copies.
 */
export const RELAY_ID_PROPERTY = 'String {6a1f7f0e-3c52-4f0b-9d55-5c4f2f8a7b61} Name MailRelayId';

/**
 * PidTagListUnsubscribe, from which Exchange writes the header: the only way to have it in JSON, and found to work. The value
 * goes as it is, without encoded words.
 */
const LIST_UNSUBSCRIBE_PROPERTY = 'String 0x1045';

const toRecipient = ({ name, address }: Address) => ({
  emailAddress: name === undefined ? { address } : { address, name },
});

/** A file as Graph describes it, without its content. */
export const toAttachment = ({ filename, contentType, cid }: OutgoingFile) => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: filename,
  contentType,
  ...(cid === undefined ? {} : { isInline: true, contentId: cid }),
});

const whenAny = <Key extends string, Item>(key: Key, items: readonly Item[]) =>
  items.length === 0 ? {} : { [key]: items };

/** The message as Graph describes it, without its files (graph: resource type message). */
export const toMessage = (id: string, sender: Address, mail: OutgoingMail) => ({
  subject: mail.subject,
  body:
    mail.html === undefined
      ? { contentType: 'text', content: mail.text ?? '' }
      : { contentType: 'html', content: mail.html },
  from: toRecipient(sender),
  toRecipients: mail.to.map(toRecipient),
  ...whenAny('ccRecipients', mail.cc.map(toRecipient)),
  ...whenAny('bccRecipients', mail.bcc.map(toRecipient)),
  ...whenAny('replyTo', mail.replyTo.map(toRecipient)),
  importance: mail.importance,
  ...(mail.readReceipt ? { isReadReceiptRequested: true } : {}),
  ...(mail.deliveryReceipt ? { isDeliveryReceiptRequested: true } : {}),
  ...whenAny(
    'internetMessageHeaders',
    mail.headers.filter(({ name }) => !isListUnsubscribe(name)),
  ),
  singleValueExtendedProperties: [
    { id: RELAY_ID_PROPERTY, value: id },
    ...mail.headers
      .filter(({ name }) => isListUnsubscribe(name))
      .map(({ value }) => ({ id: LIST_UNSUBSCRIBE_PROPERTY, value })),
  ],
});

/** JSON of an object that goes on with another field. */
const opened = (object: object): string => `${JSON.stringify(object).slice(0, -1)},`;

/**
 * The body of sendMail. Files are put into it as bytes: base64 needs no escapes, and in one text with a subject in Chinese
 * each of its characters would take two bytes.
 */
export const toSendMailBody = (id: string, sender: Address, mail: OutgoingMail): Buffer => {
  const message = toMessage(id, sender, mail);
  const last = `"saveToSentItems":${mail.saveToSentItems}}`;
  if (mail.files.length === 0) return Buffer.from(`${opened({ message })}${last}`);
  const texts = mail.files.map((file, index) => {
    const start = index === 0 ? `{"message":${opened(message)}"attachments":[` : '"},';
    return `${start}${opened(toAttachment(file))}"contentBytes":"`;
  });
  return joined(texts, mail.files, `"}]},${last}`);
};

/** The texts, each followed by the base64 of its file, and the end. */
const joined = (texts: readonly string[], files: readonly OutgoingFile[], end: string): Buffer => {
  const lengths = [...texts, end].map((text) => Buffer.byteLength(text));
  const contents = files.map(contentOf);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const body = Buffer.allocUnsafe(sum(lengths) + sum(contents.map(encodedLength)));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at += body.write(text, at);
    at = writeBase64(contents[index] ?? '', body, at);
  }
  body.write(end, at);
  return body;
};

const contentOf = ({ source }: OutgoingFile) => {
  if (source.kind === 'base64') return source.content;
  throw new Error('a file that is in a blob cannot be in one request');
};
