import { createHash, createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto';
import { type Base64Text, isBase64Text } from '../mail/base64-text.ts';
import { apartFromPriority } from '../mail/priority.ts';
import { canonicalJson } from './canonical-json.ts';
import { earlierHashOfContent } from './earlier-identity.ts';
import type { LedgerGap } from './ledger-gap.ts';

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
  /** By which emails to an address are found without keeping the address; the same in any case of its letters. */
  readonly hashOfAddress: (address: string) => string;
  /**
   * The hash two requests must share to be the same email; its idempotency key and its priority are not part of it. Of an email whose key
   * is of a request with several, `whole` stands for that request.
   */
  readonly hashOfContent: (mail: object, whole?: string) => string;
  /** Whether a content has this hash, also one that an earlier version of the relay made; in whatever request it was. */
  readonly isContent: (hash: string, mail: unknown) => boolean;
  /** What stands for a request with several emails, by its content. */
  readonly wholeOf: (request: object) => string;
  /** Proves that a text was written by the relay. */
  readonly tagOf: (text: string) => string;
  readonly isTag: (tag: string, text: string) => boolean;
  /** A key of 32 bytes for one purpose, from which no other key can be found. */
  readonly keyFor: (purpose: string) => Uint8Array;
};

/** The identity of the relay, whether the ledger may hold rows from before it had one, and what it lost where it was restored. */
export type KnownIdentity = Identity & { readonly hasEarlierRows: boolean; readonly gap?: LedgerGap };

/** What hashes begin with: of contents, of contents in which files were not hashed by themselves, and of idempotency keys. */
const CONTENT = 'k2.';
const EARLIER_CONTENT = 'k1.';
const KEY = 'k1.';

/** 72 bits: a hash that another address shares would show an email that is not to it, and a ledger has at most some 10^8 of them. */
const ADDRESS_LETTERS = 12;

/** A text of this length is in the hash of a content by a hash of its own: a file is not copied, and not written as JSON. */
const LONG_TEXT = 4096;

/** Two parts of a hash; none has a dot after its beginning. */
const WITH_WHOLE = /^(k\d\.[^.]+)\.(.+)$/;

/** What stands, in the hash of an email, for the request that has its idempotency key. */
export const wholeIn = (hash: string): string | undefined => WITH_WHOLE.exec(hash)?.[2];

/** Outside quotes, so that no other text is written like it. Long base64 has the hash of the same text. */
const shortened = (text: Base64Text): string => {
  if (typeof text === 'string')
    return text.length < LONG_TEXT ? JSON.stringify(text) : `#${hash('sha256', text, 'base64url')}`;
  const sum = createHash('sha256');
  for (const chunk of text.chunks) sum.update(chunk);
  return `#${sum.digest('base64url')}`;
};

/** A UUID of our own making (RFC 9562, version 8) from the first 16 bytes of a hash. */
const toUuid = (hash: Buffer): string => {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};

/** Whether something is written at all: not null, and no empty text, list or object. */
const isThere = (value: unknown): boolean =>
  isBase64Text(value)
    ? value !== ''
    : value !== null &&
      value !== undefined &&
      !(typeof value === 'object' && Object.keys(value).length === 0);

/**
 * What makes an email another one: without its key and its priority, which recipients do not see, and without what serialisers write for a
 * field that is absent.
 */
const contentOf = (mail: object): object => {
  const { idempotencyKey: _, ...fields } = apartFromPriority(mail as Record<string, unknown>).content;
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, value]) => [name, Array.isArray(value) ? value.filter(isThere) : value] as const)
      .filter(([, value]) => isThere(value)),
  );
};

/** `key` is a secret of 32 random bytes. */
export const makeIdentity = (key: Uint8Array): Identity => {
  // Given as bytes, Node would make this for every hash, which takes longer than the hash of a small email.
  const secret = createSecretKey(key);
  const mac = (purpose: string, text: string): Buffer =>
    createHmac('sha256', secret).update(`${purpose}\n`).update(text).digest();
  const hashOfContent = (mail: object, whole?: string): string => {
    const own = CONTENT + mac('content', canonicalJson(contentOf(mail), shortened)).toString('base64url');
    return whole === undefined ? own : `${own}.${whole}`;
  };
  const earlierHash = (mail: object): string =>
    EARLIER_CONTENT + mac('content', canonicalJson(contentOf(mail))).toString('base64url');
  /** The hash that a content has in the form of another hash. */
  const hashAs = (form: string, mail: object): string => {
    if (form.startsWith(CONTENT)) return hashOfContent(mail);
    if (form.startsWith(EARLIER_CONTENT)) return earlierHash(mail);
    return earlierHashOfContent(apartFromPriority(mail as Record<string, unknown>).content);
  };
  const tagOf = (text: string): string => mac('envelope', text).toString('base64url');
  return {
    mailIdOfKey: (caller, idempotencyKey) => toUuid(mac('key', `${caller}\n${idempotencyKey}`)),
    mailIdOfMessage: (messageId) => toUuid(mac('message', messageId)),
    mailIdOfText: (text) => toUuid(mac('text', text)),
    hashOfKey: (idempotencyKey) => KEY + mac('key hash', idempotencyKey).toString('base64url'),
    hashOfAddress: (address) =>
      mac('address', address.trim().toLowerCase()).toString('base64url').slice(0, ADDRESS_LETTERS),
    hashOfContent,
    isContent: (given, mail) => {
      const own = WITH_WHOLE.exec(given)?.[1] ?? given;
      return typeof mail === 'object' && mail !== null && hashAs(own, mail) === own;
    },
    wholeOf: (request) => mac('whole', canonicalJson(request, shortened)).toString('base64url'),
    tagOf,
    keyFor: (purpose) => mac('key for', purpose),
    isTag: (tag, text) => {
      const [given, right] = [Buffer.from(tag), Buffer.from(tagOf(text))];
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
};

/** Names a caller by its function key without keeping the key: 60 bits of its hash. */
export const callerOfKey = (functionKey: string): string =>
  `key:${createHash('sha256').update(`caller\n${functionKey}`).digest('base64url').slice(0, 10)}`;
