import type { GraphMailRelayMail } from '../index.d.ts';
import type { Posted } from './call-relay.ts';
import { mimeToFields } from './mime-to-fields.ts';
import { relayError } from './relay-error.ts';

/** What one message of the relay can have (docs/api.md, "Whole messages"). */
const MOST_MIME_BYTES = 3_000_000;
const HANDLING = ['tags', 'sendAt', 'onUnknown'];

export type Payload = Omit<Posted, 'idempotencyKey'> & { readonly form: 'mime' | 'json' };

/** How a message is posted: byte for byte, unless it is too large for that. */
export const payloadOf = async (bytes: Buffer, { relay }: GraphMailRelayMail): Promise<Payload> => {
  const handling = handlingOf(relay);
  const isWhole = bytes.length <= MOST_MIME_BYTES;
  if (isWhole && handling.length === 0)
    return { form: 'mime', contentType: 'message/rfc822', body: new Uint8Array(bytes) };
  const mail = isWhole ? { mime: bytes.toString('base64') } : await mimeToFields(bytes);
  return {
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
