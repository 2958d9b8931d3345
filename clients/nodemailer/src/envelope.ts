import { addressKey, isAddress } from '../../../src/lib/mail/address.ts';
import { readAddresses, withoutGroup } from '../../../src/lib/mail/address-list.ts';
import type { ComposedMail, ReadAddress } from './composed-mail.ts';
import { fieldsOf, type HeaderField, keyOf, withHeader } from './header-bytes.ts';
import { relayError } from './relay-error.ts';

export type Envelope = { readonly from: string | false; readonly to: readonly string[] };

const RECIPIENTS = ['to', 'cc', 'bcc'];

const wrong = (message: string) =>
  relayError(`${message} Nothing was sent.`, {
    code: 'EENVELOPE',
    responseCode: 550,
    command: 'API',
  });

/**
 * Whether the application itself says who receives the email. For a `raw` message nodemailer makes the envelope of the options, which
 * then say it too.
 */
const isGiven = ({ data, message }: ComposedMail): boolean =>
  Boolean(data.envelope) || (Boolean(data.raw) && message.getEnvelope().to.length > 0);

const addressesIn = (fields: readonly HeaderField[], name: string): readonly string[] => {
  const written = fields.filter((field) => keyOf(field) === name).map(({ value }) => withoutGroup(value));
  const { addresses, wrong: unread } = readAddresses(written.join(', '));
  const [first] = unread;
  if (first !== undefined)
    throw wrong(
      `Expected ${first.expected}, as address number ${first.place} of the header ${name}, to compare it with the envelope.`,
    );
  return addresses.map(({ address }) => address);
};

const keysOf = (addresses: readonly string[]): ReadonlySet<string> => new Set(addresses.map(addressKey));
const unique = (addresses: readonly string[]): readonly string[] => [
  ...new Map(addresses.map((address) => [addressKey(address), address])).values(),
];

/**
 * Makes the message go to whom the envelope names. Microsoft Graph has no envelope: it sends to everyone in To, Cc and Bcc, from From.
 * So those whom only the envelope names go into Bcc, and an envelope that names fewer people than the header is an error.
 */
export const applyEnvelope = (
  mail: ComposedMail,
  bytes: Buffer,
): { readonly bytes: Buffer; readonly envelope: Envelope } => {
  const own = mail.message.getEnvelope();
  if (!isGiven(mail)) {
    if (!mail.data.raw) return { bytes, envelope: own };
    const fields = fieldsOf(bytes);
    const [from] = addressesIn(fields, 'from');
    const to = unique(RECIPIENTS.flatMap((name) => addressesIn(fields, name)));
    return { bytes, envelope: { from: from ?? false, to } };
  }
  const fields = fieldsOf(bytes);
  checkSender(fields, own.from);
  if (!own.to.every(isAddress))
    throw wrong(
      'Expected each recipient of the envelope as one address, in envelope.to, cc or bcc. Received something else.',
    );
  const named = keysOf(own.to);
  for (const name of RECIPIENTS) {
    const others = addressesIn(fields, name).filter((address) => !named.has(addressKey(address)));
    if (others.length > 0)
      throw wrong(
        `The header ${name} has ${others.length} recipients whom the envelope does not name. Microsoft Graph sends to everyone in To, Cc and Bcc. Remove them from ${name}, or add them to the envelope.`,
      );
  }
  const shown = keysOf(['to', 'cc'].flatMap((name) => addressesIn(fields, name)));
  const hidden = own.to.filter((address) => !shown.has(addressKey(address)));
  const isBcc = (field: HeaderField): boolean => keyOf(field) === 'bcc';
  const lines = hidden.length === 0 ? [] : [`Bcc: ${hidden.join(',\n ')}`];
  return { bytes: withHeader(bytes, fields, isBcc, lines), envelope: own };
};

/** Throws for an address that nodemailer would drop, or that MIME cannot have and that would otherwise be an error of the header. */
export const checkAddresses = ({ data, message }: ComposedMail): void => {
  const parse = (written: unknown) => message._parseAddresses?.(written) ?? [];
  for (const name of ['from', 'sender', 'reply-to', ...RECIPIENTS])
    checkRead(parse(message.getHeader(name)), `in ${name}`);
  const given = (data.envelope ?? {}) as Readonly<Record<string, unknown>>;
  if (given.from === '' || given.from === false || given.from === '<>')
    throw wrong(
      'The sender of the envelope is empty. Microsoft Graph has no return path of its own, and no empty one: reports go to From. Leave out envelope.from.',
    );
  for (const name of ['from', ...RECIPIENTS]) {
    const read = message._parseEnvelopeAddresses?.(given[name] ?? '') ?? parse(given[name] ?? '');
    checkRead(read, `in envelope.${name}`);
  }
  const { from, to } = message.getEnvelope();
  const wrongOnes = [from || '', ...to].filter((address) =>
    /[^ -~]/.test(address.slice(0, address.lastIndexOf('@'))),
  );
  if (wrongOnes.length > 0)
    throw wrong(
      `Expected ASCII before the @ of each address. Microsoft Graph does not take ${wrongOnes.length} of these addresses in a message. Use another address of these people.`,
    );
};

/** nodemailer sends to the others, and says nothing of one that it cannot read. */
const checkRead = (read: readonly ReadAddress[], where: string): void => {
  const one = read.findIndex(isUnread);
  if (one !== -1)
    throw wrong(
      `Expected an address, with a name or without, as number ${one + 1} ${where}, received something without an address. nodemailer would leave it out.`,
    );
};

const isUnread = ({ name, address, group }: ReadAddress): boolean =>
  group === undefined ? !address && Boolean(name) : group.some(isUnread);

/** Reports of failed delivery go to From, always: another return path would be accepted and ignored. */
const checkSender = (fields: readonly HeaderField[], sender: string | false): void => {
  if (sender === false) return;
  const [from] = addressesIn(fields, 'from');
  if (from !== undefined && addressKey(from) !== addressKey(sender))
    throw wrong(
      'The sender of the envelope is not the address in From. Microsoft Graph has no return path of its own: reports go to From. Leave out envelope.from, or send from that address.',
    );
};
