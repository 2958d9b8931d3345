import emailAddresses from 'email-addresses';
import type { GraphFileAttachment, GraphMessage, GraphRecipient } from '../../src/lib/inbox/captured-mail.ts';
import type { Mailbox } from '../directory.ts';
import { maySendAs } from './access.ts';
import { canonicalPropertyId, unmetValueRule } from './extended-property.ts';
import { GraphError } from './graph-error.ts';
import type { ReceivedMail } from './received-mail.ts';

/** https://learn.microsoft.com/graph/api/resources/message */
const MOST_RECIPIENTS = 500;
const MOST_HEADERS = 5;
/** The characters of a field name, RFC 5322 section 3.6.8. */
const HEADER_NAME = /^x-[\x21-\x39\x3b-\x7e]+$/i;
/** Line ends above all, which would begin a header of the attacker's own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_CHARACTER = /[\x00-\x08\x0a-\x1f\x7f]/;

/** What a well-formed email may still get wrong, however it came. */
export const requireSendable = (mail: ReceivedMail, mailbox: Mailbox): void => {
  requireSubmittable(mail, mailbox);
  requireCreatable(mail);
};

/** What is looked at when a draft is sent: a draft may be without recipients, and from anybody. */
export const requireSubmittable = ({ body: { message }, senders }: ReceivedMail, mailbox: Mailbox): void => {
  for (const sender of [message.from ?? [], senders].flat()) requireSender(sender, mailbox);
  requireRecipients(message);
};

/**
 * What is looked at when a message is made. There is no rule for the 3 MB that one attachment may have: as base64 it never
 * fits into a request, so that limit is met first. MIME may have more headers and has no properties of its own.
 */
export const requireCreatable = ({ via, body: { message } }: ReceivedMail): void => {
  if (via === 'mime') return;
  requireHeaders(message.internetMessageHeaders ?? []);
  requireExtendedProperties(message.singleValueExtendedProperties ?? []);
  for (const attachment of message.attachments ?? []) requireAttachment(attachment);
};

const requireSender = ({ emailAddress }: GraphRecipient, mailbox: Mailbox): void => {
  if (maySendAs(mailbox, emailAddress.address)) return;
  throw new GraphError(
    403,
    'ErrorSendAsDenied',
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  );
};

const requireRecipients = (message: GraphMessage): void => {
  const { toRecipients = [], ccRecipients = [], bccRecipients = [], replyTo = [] } = message;
  const recipients = [...toRecipients, ...ccRecipients, ...bccRecipients];
  if (recipients.length === 0)
    throw invalidRecipients(
      "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
    );
  if (recipients.length > MOST_RECIPIENTS)
    throw new GraphError(
      400,
      'ErrorExceededMaxRecipientLimit',
      `The message has ${recipients.length} recipients; at most ${MOST_RECIPIENTS} are allowed.`,
    );
  const unresolved = [...recipients, ...replyTo].find((recipient) => !isWellFormed(recipient));
  if (unresolved !== undefined)
    throw invalidRecipients(
      `At least one recipient is not valid., Recipient '${unresolved.emailAddress.address}' is not resolved. All recipients must be resolved before a message can be submitted.`,
    );
};

const invalidRecipients = (message: string) => new GraphError(400, 'ErrorInvalidRecipients', message);

/** One bare address: no name, no comment, no list. Exchange resolves the form; whether it exists is found out later. */
const isWellFormed = ({ emailAddress: { address, name = '' } }: GraphRecipient) =>
  bareAddress(address) === address && !CONTROL_CHARACTER.test(name);

const bareAddress = (input: string): string | undefined => {
  const parsed = emailAddresses.parseOneAddress({ input, rfc6532: true });
  return parsed?.type === 'mailbox' && parsed.name === null ? parsed.address : undefined;
};

const requireHeaders = (headers: NonNullable<GraphMessage['internetMessageHeaders']>): void => {
  if (headers.length > MOST_HEADERS)
    throw new GraphError(
      400,
      'InvalidInternetMessageHeaderCollection',
      `Maximum number of headers in one message should be less than or equal to ${MOST_HEADERS}.`,
    );
  for (const { name, value } of headers) {
    if (!HEADER_NAME.test(name))
      throw invalidHeader(
        `The internet message header name '${name}' should start with 'x-' or 'X-' and hold printable ASCII without a colon.`,
      );
    if (CONTROL_CHARACTER.test(value))
      throw invalidHeader(
        `The value of internet message header '${name}' contains a line end or another control character.`,
      );
  }
};

const invalidHeader = (message: string) => new GraphError(400, 'InvalidInternetMessageHeader', message);

/** Codes after EWS: https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode */
const requireExtendedProperties = (
  properties: NonNullable<GraphMessage['singleValueExtendedProperties']>,
): void => {
  for (const { id, value } of properties) {
    if (canonicalPropertyId(id) === undefined)
      throw new GraphError(
        400,
        'ErrorInvalidExtendedProperty',
        `The extended property id '${id}' is not valid; expected '{type} {GUID} Name {name}', '{type} {GUID} Id {id}' or '{type} {proptag}'.`,
      );
    const expected = unmetValueRule(id, value);
    if (expected !== undefined)
      throw new GraphError(
        400,
        'ErrorInvalidExtendedPropertyValue',
        `The value of the extended property '${id}' is not valid; expected ${expected}.`,
      );
  }
};

/** A file that comes in a request of its own is held to the same. */
export const requireAttachment = ({ name, contentBytes = '' }: GraphFileAttachment): void => {
  if (name === '')
    throw new GraphError(400, 'ErrorInvalidRequest', "An attachment needs a 'name' that is not empty.");
  // Compared with what the bytes encode to: Node's decoder skips whatever it does not know.
  if (Buffer.from(contentBytes, 'base64').toString('base64') !== contentBytes)
    throw new GraphError(
      400,
      'RequestBodyRead',
      `Cannot convert the 'contentBytes' of attachment '${name}' to the expected type 'Edm.Binary': expected base64 with padding and without line breaks.`,
    );
};
