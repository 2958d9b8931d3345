import { isObject } from '../mail/absent.ts';

/**
 * Events of Key Vault that Event Grid puts on a queue, in its own form or as CloudEvents
 * (learn.microsoft.com/azure/event-grid/event-schema-key-vault). Nothing that they say is believed: they only make the relay look
 * for itself.
 */
const TYPES = [
  'Microsoft.KeyVault.SecretNearExpiry',
  'Microsoft.KeyVault.SecretExpired',
  'Microsoft.KeyVault.CertificateNearExpiry',
  'Microsoft.KeyVault.CertificateExpired',
] as const;

/** What the relay writes to that queue itself. */
const OWN_TYPE = 'GraphMailRelay.CheckAgain';

/** A message that makes the relay look again. */
export const CHECK_AGAIN = JSON.stringify({ type: OWN_TYPE });

const MOST_BYTES = 65_536;

/** Whether a message of the queue is a reason to look at the vault: one of the events, or a list with one of them. */
export const isVaultEvent = (message: string): boolean => {
  if (message.length > MOST_BYTES) return false;
  const value = parse(message);
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  return events.some((event) => isObject(event) && isKnown(event));
};

const isKnown = (event: object): boolean => {
  const { eventType, type } = event as Readonly<Record<string, unknown>>;
  return [...TYPES, OWN_TYPE].some((known) => known === eventType || known === type);
};

/** JSON, or base64 of JSON, as Event Grid writes it. */
const parse = (message: string): unknown => {
  const text = message.trim();
  try {
    return JSON.parse(/^[[{]/.test(text) ? text : Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
};
