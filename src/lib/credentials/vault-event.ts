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

/** A message that makes the relay look again. `since` is when the message was put on the queue that it stands for. */
export const checkAgain = (since?: Date): string => JSON.stringify({ type: OWN_TYPE, since });

const MOST_BYTES = 65_536;

export type VaultEvent = {
  /** Of a message of the relay: when the one was put on the queue that it stands for. */
  readonly since?: Date;
};

/** A message of the queue that is a reason to look at the vault: one of the events, or a list with one of them. */
export const readVaultEvent = (message: string): VaultEvent | undefined => {
  if (message.length > MOST_BYTES) return undefined;
  const value = parse(message);
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  const event = events.find((one): one is Fields => isObject(one) && isKnown(one));
  if (event === undefined) return undefined;
  const since =
    event.type === OWN_TYPE && typeof event.since === 'string' ? new Date(event.since) : undefined;
  return since === undefined || Number.isNaN(since.getTime()) ? {} : { since };
};

type Fields = Readonly<Record<string, unknown>>;

const isKnown = (event: object): boolean => {
  const { eventType, type } = event as Fields;
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
