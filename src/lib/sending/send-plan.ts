import { AppError } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import type { Mail } from '../mail/mail-schema.ts';

/**
 * What one Graph request may hold. Graph says 4 MB without saying which; the smaller reading is the one that
 * never accepts a mail Graph then refuses.
 */
export const MAX_REQUEST_BYTES = 4_000_000;
/** A file of 3 MB or more needs an upload session (graph: attach large files to Outlook messages). */
const MAX_ATTACHMENT_BYTES = 3_000_000;

/**
 * The named property every mail carries, to find it again in Sent Items. Recipients never see it; headers
 * would not do, as Graph does not show them on sent copies.
 */
export const RELAY_ID_PROPERTY = 'String {6a1f7f0e-3c52-4f0b-9d55-5c4f2f8a7b61} Name MailRelayId';

/** How a mail goes to Graph. */
export type SendPlan = {
  readonly kind: 'json';
  /** Whose sendMail is called. */
  readonly mailbox: string;
  /** JSON in UTF-8. */
  readonly body: Buffer;
};

const toRecipient = ({ name, address }: Address) => ({
  emailAddress: name === undefined ? { address } : { address, name },
});

type File = Mail['attachments'][number];

const toAttachment = ({ filename, contentType, cid }: File) => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: filename,
  contentType,
  ...(cid === undefined ? {} : { isInline: true, contentId: cid }),
});

const whenAny = <Key extends string, Item>(key: Key, items: readonly Item[]) =>
  items.length === 0 ? {} : { [key]: items };

/** The message of sendMail for a mail, without its files. */
const toMessage = (id: string, sender: Address, mail: Mail) => ({
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
  ...whenAny('internetMessageHeaders', mail.headers),
  singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: id }],
});

/** JSON of an object that goes on with another field. */
const opened = (object: object): string => `${JSON.stringify(object).slice(0, -1)},`;

/**
 * The body of sendMail. Files are put into it as bytes: base64 needs no escapes, and in one text with a subject in Chinese
 * each of its characters would take two bytes.
 */
const toBody = (id: string, sender: Address, mail: Mail): Buffer => {
  const message = toMessage(id, sender, mail);
  const last = `"saveToSentItems":${mail.saveToSentItems}}`;
  if (mail.attachments.length === 0) return Buffer.from(`${opened({ message })}${last}`);
  const texts = mail.attachments.map((file, index) => {
    const start = index === 0 ? `{"message":${opened(message)}"attachments":[` : '"},';
    return `${start}${opened(toAttachment(file))}"contentBytes":"`;
  });
  const end = `"}]},${last}`;
  const lengths = [...texts, end].map((text) => Buffer.byteLength(text));
  const files = mail.attachments.map(({ content }) => content);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const body = Buffer.allocUnsafe(sum(lengths) + sum(files.map(({ length }) => length)));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    at += body.write(text, at);
    at += body.write(files[index] ?? '', at, 'latin1');
  }
  body.write(end, at);
  return body;
};

/** Plans how a mail goes to Graph. Throws MAIL_TOO_LARGE with limit and figure when it cannot. */
export const planSend = (id: string, sender: Address, mail: Mail): SendPlan => {
  const tooLarge = mail.attachments.flatMap(({ content }, index) => {
    const bytes = Buffer.byteLength(content, 'base64');
    return bytes < MAX_ATTACHMENT_BYTES ? [] : [{ index, bytes }];
  });
  if (tooLarge.length > 0)
    throw new AppError('MAIL_TOO_LARGE', {
      problems: tooLarge.map(({ index, bytes }) => ({
        code: 'MAIL_TOO_LARGE',
        pointer: `/attachments/${index}/content`,
        expected: `a file of less than ${MAX_ATTACHMENT_BYTES} bytes`,
        received: `a file of ${bytes} bytes`,
      })),
    });
  const body = toBody(id, sender, mail);
  const bytes = body.length;
  if (bytes > MAX_REQUEST_BYTES)
    throw new AppError('MAIL_TOO_LARGE', {
      detail: `One request to Graph can have ${MAX_REQUEST_BYTES} bytes; this email needs ${bytes}.`,
    });
  return { kind: 'json', mailbox: sender.address, body };
};
