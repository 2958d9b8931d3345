import { decodeWords, type Header } from 'postal-mime';
import { mailboxesOf, ownHeadersOf, parseMime } from '../../../src/lib/inbox/mime-message.ts';
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
  const { email, message, details } = await parseMime(mime).catch((error: Error) => {
    throw malformed(error.message);
  });
  requireFields(email.headers);
  const own = headersAreProperties ? ownHeadersOf(email) : [];
  const { messageId } = email;
  return {
    via: 'mime',
    body: {
      message: { ...message, ...(own.length > 0 && { singleValueExtendedProperties: toProperties(own) }) },
    },
    senders: mailboxesOf(email.headers, 'sender'),
    details,
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

const toProperties = (headers: readonly Header[]) =>
  headers
    .filter(({ key }, at) => headers.findIndex((header) => header.key === key) === at)
    .map(({ key, value }) => ({ id: `String ${INTERNET_HEADERS} Name ${key}`, value: decodeWords(value) }))
    .filter(({ id }) => canonicalPropertyId(id) !== undefined);
