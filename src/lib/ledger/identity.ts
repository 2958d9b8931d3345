import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import { earlierHashOfContent } from './earlier-identity.ts';

/**
 * Ids, hashes and tags that only the relay can make. All depend on a key that no application can read, so that nobody
 * can compute the id of an email that is not theirs, try out contents against a hash, or write the relay's own messages.
 */
export type Identity = {
  /** The id of the email with this idempotency key: the same for the same caller and key, and no other. */
  readonly mailIdOfKey: (caller: string, key: string) => string;
  /** The id of the email in a bare queue message, by the id that Storage gave the message. */
  readonly mailIdOfMessage: (messageId: string) => string;
  /** The id of what a message holds, where its own id cannot be trusted. */
  readonly mailIdOfText: (text: string) => string;
  readonly hashOfKey: (key: string) => string;
  /** The hash two requests must share to be the same email; its idempotency key is not part of it. */
  readonly hashOfContent: (mail: object) => string;
  /** Whether a content has this hash, also one that an earlier version of the relay made. */
  readonly isContent: (hash: string, mail: unknown) => boolean;
  /** Proves that a text was written by the relay. */
  readonly tagOf: (text: string) => string;
  readonly isTag: (tag: string, text: string) => boolean;
};

/** The identity of the relay, and whether the ledger may hold rows from before it had one. */
export type KnownIdentity = Identity & { readonly hasEarlierRows: boolean };

/** Hashes of this form are keyed; those of earlier versions are not. */
const KEYED = 'k1.';

/** A UUID of our own making (RFC 9562, version 8) from the first 16 bytes of a hash. */
const toUuid = (hash: Buffer): string => {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};

/** Whether something is written at all: not null, and no empty text, list or object. */
const isThere = (value: unknown): boolean =>
  value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);

/** `key` is a secret of 32 random bytes. */
export const makeIdentity = (key: Uint8Array): Identity => {
  // Given as bytes, Node would make this for every hash, which takes longer than the hash of a small email.
  const secret = createSecretKey(key);
  const mac = (purpose: string, ...pieces: readonly string[]): Buffer => {
    const made = createHmac('sha256', secret).update(`${purpose}\n`);
    for (const piece of pieces) made.update(piece);
    return made.digest();
  };
  const hashOfContent = (mail: object): string => {
    const { idempotencyKey: _, ...fields } = mail as Record<string, unknown>;
    // What serialisers write for a field that is absent makes no other mail.
    const content = Object.fromEntries(
      Object.entries(fields)
        .map(([name, value]) => [name, Array.isArray(value) ? value.filter(isThere) : value] as const)
        .filter(([, value]) => isThere(value)),
    );
    return KEYED + mac('content', ...canonicalJson(content)).toString('base64url');
  };
  const tagOf = (text: string): string => mac('envelope', text).toString('base64url');
  return {
    mailIdOfKey: (caller, idempotencyKey) => toUuid(mac('key', `${caller}\n${idempotencyKey}`)),
    mailIdOfMessage: (messageId) => toUuid(mac('message', messageId)),
    mailIdOfText: (text) => toUuid(mac('text', text)),
    hashOfKey: (idempotencyKey) => KEYED + mac('key hash', idempotencyKey).toString('base64url'),
    hashOfContent,
    isContent: (hash, mail) =>
      typeof mail === 'object' &&
      mail !== null &&
      (hash.startsWith(KEYED) ? hashOfContent(mail) : earlierHashOfContent(mail)) === hash,
    tagOf,
    isTag: (tag, text) => {
      const [given, right] = [Buffer.from(tag), Buffer.from(tagOf(text))];
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
};

/** Names a caller by its function key without keeping the key: 60 bits of its hash. */
export const callerOfKey = (functionKey: string): string =>
  `key:${createHash('sha256').update(`caller\n${functionKey}`).digest('base64url').slice(0, 10)}`;
