import { createHash } from 'node:crypto';
import type { RelayWarning } from '../index.d.ts';
import type { ComposedMail, MimeTree } from './composed-mail.ts';
import { readBytes } from './composed-mail.ts';
import { fieldsOf, keyOf, withHeader } from './header-bytes.ts';

/** The id that nodemailer makes: a random UUID before the domain of the sender. */
const RANDOM_ID = /^<[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(@.*>)$/;
/** The content id that nodemailer makes for an image with a data URL. */
const RANDOM_CID = /^[\da-f]{20}@localhost$/;

const digest = (...texts: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
};

/**
 * The message as nodemailer composes it, except that the same email with the same key gives the same bytes. The relay compares a
 * repeated email by its bytes, and nodemailer puts random values and the time into it: the Message-ID and the boundaries then come from
 * the key and the message, and the relay writes the Date.
 */
export const settledBytes = async (
  mail: ComposedMail,
  idempotencyKey: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Buffer; readonly warnings: readonly RelayWarning[] }> => {
  const { data, message, mailer } = mail;
  message.keepBcc = true;
  const isRaw = Boolean(data.raw);
  // nodemailer writes the current time where there is none.
  const hasOwnDate = message.getHeader('Date') !== undefined;
  if (!isRaw) {
    settleMessageId(mail, idempotencyKey);
    if (data.attachDataUrls || mailer?.options?.attachDataUrls) settleContentIds(mail, idempotencyKey);
  }
  const composed = await readBytes(message, signal);
  const isSigned = Boolean(data.dkim || mailer?.dkim);
  const writesDate = !isRaw && !hasOwnDate;
  const bytes =
    isSigned || writesDate
      ? withHeader(
          composed,
          fieldsOf(composed),
          (field) =>
            (isSigned && keyOf(field) === 'dkim-signature') || (writesDate && keyOf(field) === 'date'),
        )
      : composed;
  return {
    bytes:
      isRaw || data.baseBoundary ? bytes : withSettledBoundary(bytes, message.baseBoundary, idempotencyKey),
    warnings: isSigned ? [UNSIGNED] : [],
  };
};

/** The relay would remove the signature: Exchange changes what it signs, and signs itself. */
const UNSIGNED: RelayWarning = {
  code: 'HEADER_REMOVED',
  detail:
    'The signature of the option dkim was left out: Exchange changes what it signs. Set up DKIM for the domain in Exchange Online, and remove the option.',
};

const hasOwnId = ({ data }: ComposedMail): boolean => {
  if (data.messageId) return true;
  const { headers } = data;
  const names = Array.isArray(headers) ? headers.map((header) => header?.key) : Object.keys(headers ?? {});
  return names.some((name) => String(name).trim().toLowerCase() === 'message-id');
};

const settleMessageId = (mail: ComposedMail, idempotencyKey: string): void => {
  if (hasOwnId(mail)) return;
  const domain = RANDOM_ID.exec(mail.message.messageId())?.[1];
  if (domain === undefined) return;
  const hex = digest('message id', idempotencyKey);
  const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  mail.message.setHeader('Message-ID', `<${id.join('-')}${domain}`);
};

const settleContentIds = ({ data, message }: ComposedMail, idempotencyKey: string): void => {
  const files = Array.isArray(data.attachments) ? data.attachments : [];
  const random = files.map((file) => file?.cid).filter((cid) => RANDOM_CID.test(String(cid)));
  const settled = new Map<string, string>(
    random.map((cid, index) => [
      cid,
      `${digest('cid', idempotencyKey, String(index)).slice(0, 20)}@localhost`,
    ]),
  );
  const settle = (node: MimeTree): void => {
    const id = settled.get(String(node.getHeader('Content-ID')).replace(/[<>]/g, ''));
    if (id !== undefined) node.setHeader('Content-ID', `<${id}>`);
    if (typeof node.content === 'string' && node.content.includes('cid:'))
      node.setContent(
        node.content.replace(/(?<=cid:)[\da-f]{20}@localhost/g, (cid) => settled.get(cid) ?? cid),
      );
    for (const child of node.childNodes) settle(child);
  };
  settle(message);
};

/**
 * The random part of each boundary, replaced by a digest of the message in which it is left out. A digest of the key alone could be
 * guessed, and a text could then end its own part.
 */
const withSettledBoundary = (bytes: Buffer, random: string, idempotencyKey: string): Buffer => {
  const places: number[] = [];
  for (let at = bytes.indexOf(random); at !== -1; at = bytes.indexOf(random, at + random.length))
    places.push(at);
  if (places.length === 0) return bytes;
  const settled = Buffer.from(bytes);
  for (const at of places) settled.fill('0', at, at + random.length);
  const part = digest('boundary', idempotencyKey, settled).slice(0, random.length);
  for (const at of places) settled.write(part, at, 'latin1');
  return settled;
};
