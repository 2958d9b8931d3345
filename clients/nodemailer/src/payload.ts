import { isExchangesOwn } from '../../../src/lib/mail/header-policy.ts';
import type { GraphMailRelayMail, RelayWarning } from '../index.d.ts';
import type { Posted } from './call-relay.ts';
import { fieldsOf, type HeaderField, keyOf, withHeader } from './header-bytes.ts';
import { mimeToFields } from './mime-to-fields.ts';
import { relayError } from './relay-error.ts';

/** What one message of the relay can have (docs/api.md, "Whole messages"). */
const MOST_MIME_BYTES = 3_000_000;
const HANDLING = ['tags', 'sendAt', 'onUnknown', 'priority'];

export type Payload = Omit<Posted, 'idempotencyKey' | 'isGivenKey'> & {
  readonly form: 'mime' | 'json';
  readonly warnings: readonly RelayWarning[];
};

/** What the relay takes out of a whole message (docs/api.md), and rejects in fields. */
const OF_ANOTHER_JOURNEY =
  /^(?:received|return-path|delivered-to|apparently-to|received-spf|authentication-results|arc-.*|dkim-signature|domainkey-signature|x-mailrelay-id)$/;

const isRemoved = (field: HeaderField): boolean =>
  OF_ANOTHER_JOURNEY.test(keyOf(field)) || isExchangesOwn(field.name);

const removedFrom = (fields: readonly HeaderField[]): readonly RelayWarning[] => {
  const names = [...new Set(fields.filter(isRemoved).map(({ name }) => name))].filter((name) =>
    /^[\w-]+$/.test(name),
  );
  const detail = `Headers of an earlier journey, or of Exchange, were left out: ${names.join(', ')}.`;
  return names.length === 0 ? [] : [{ code: 'HEADER_REMOVED', detail }];
};

/** How a message is posted: byte for byte, unless it is too large for that. */
export const payloadOf = async (bytes: Buffer, { relay }: GraphMailRelayMail): Promise<Payload> => {
  const handling = handlingOf(relay);
  const isWhole = bytes.length <= MOST_MIME_BYTES;
  if (isWhole && handling.length === 0)
    return { form: 'mime', contentType: 'message/rfc822', body: new Uint8Array(bytes), warnings: [] };
  const fields = isWhole ? [] : fieldsOf(bytes);
  const mail = isWhole
    ? { mime: bytes.toString('base64') }
    : await mimeToFields(withHeader(bytes, fields, isRemoved));
  return {
    warnings: removedFrom(fields),
    form: isWhole ? 'mime' : 'json',
    contentType: 'application/json',
    body: new TextEncoder().encode(JSON.stringify({ ...mail, ...Object.fromEntries(handling) })),
  };
};

/** What the relay does with the email. The relay judges the values; a name that it would never see is judged here. */
const handlingOf = (relay: unknown): readonly (readonly [string, unknown])[] => {
  if (relay === undefined || relay === null) return [];
  const entries = typeof relay === 'object' && !Array.isArray(relay) ? Object.entries(relay) : undefined;
  if (entries === undefined || entries.some(([name]) => !HANDLING.includes(name)))
    throw relayError(
      `Wrong option relay of this email. Expected an object with ${HANDLING.join(', ')}, and nothing else. Nothing was sent.`,
      { code: 'EMESSAGE', responseCode: 554 },
    );
  const { sendAt } = relay as { readonly sendAt?: unknown };
  // JSON has null for it, and the relay would send the email immediately.
  if (sendAt instanceof Date && Number.isNaN(sendAt.getTime()))
    throw relayError(
      'Wrong option relay.sendAt of this email. Expected a time, received an invalid Date. Nothing was sent.',
      { code: 'EMESSAGE', responseCode: 554 },
    );
  return entries.filter(([, value]) => value !== undefined && value !== null);
};
