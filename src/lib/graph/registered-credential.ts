import { defined } from '../defined.ts';
import type { RegisteredCredential } from '../ports.ts';

type Json = Readonly<Record<string, unknown>>;

const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const dateIn = (value: unknown): Date | undefined => {
  const date = new Date(String(value));
  return Number.isNaN(date.getTime()) ? undefined : date;
};

const commonIn = ({ keyId, displayName, startDateTime, endDateTime }: Json) => ({
  keyId: String(keyId),
  ...defined({
    displayName: textIn(displayName),
    startsOn: dateIn(startDateTime),
    expiresOn: dateIn(endDateTime),
  }),
});

/** A secret of a registration, without its value (graph: passwordCredential). */
export const secretIn = (json: Json): RegisteredCredential => ({
  kind: 'secret',
  ...commonIn(json),
  ...defined({ hint: textIn(json.hint) }),
});

/** A certificate of a registration (graph: keyCredential). */
export const certificateIn = (json: Json): RegisteredCredential => ({
  kind: 'certificate',
  ...commonIn(json),
  ...defined({ thumbprint: thumbprintIn(json.customKeyIdentifier) }),
});

const SHA1_BYTES = 20;
const SHA1_HEX = /^[0-9a-f]{40}$/i;

/** The SHA-1 of the certificate, as Entra keeps it: its bytes in base64, and from some tools its hexadecimal in base64. */
const thumbprintIn = (identifier: unknown): string | undefined => {
  if (typeof identifier !== 'string') return undefined;
  if (SHA1_HEX.test(identifier)) return identifier.toUpperCase();
  const bytes = Buffer.from(identifier, 'base64');
  if (bytes.length === SHA1_BYTES) return bytes.toString('hex').toUpperCase();
  const text = bytes.toString('latin1');
  return SHA1_HEX.test(text) ? text.toUpperCase() : undefined;
};
