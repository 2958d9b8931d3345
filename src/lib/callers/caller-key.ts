import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What is kept of a key: enough to recognise it, and nothing to make it from. */
export type KeyRecord = {
  /** Stands in the key itself, so that a key that leaked is known by its id. */
  readonly id: string;
  /** 16 random bytes in base64url. */
  readonly salt: string;
  /** SHA-256 of salt and secret in base64url. A secret of 256 random bits needs no slow hash. */
  readonly hash: string;
  readonly createdAt: string;
};

/** The parts of a key as a caller presents it. */
export type PresentedKey = { readonly id: string; readonly secret: string };

/** In lower case and without signs, so that it survives every shell, header and double click. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_LENGTH = 10;
/** 52 characters of 5 bits: 260 bits. */
const SECRET_LENGTH = 52;
const SALT_BYTES = 16;

/** What every key looks like, for programs that look for leaked ones. */
export const KEY_PATTERN = new RegExp(
  `^gmr_([${ALPHABET}]{${ID_LENGTH}})_([${ALPHABET}]{${SECRET_LENGTH}})$`,
);

/** Whether a text is meant to be a key of the relay, well formed or not. */
export const looksLikeKey = (text: string): boolean => text.startsWith('gmr_');

const randomText = (length: number): string =>
  // 32 characters divide 256 evenly: each is as likely as any other.
  [...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

const hashOf = (salt: string, secret: string): string =>
  createHash('sha256').update(`${salt}\n${secret}`).digest('base64url');

/** Makes a key: the text is shown once, the record is kept. */
export const makeKey = (now: Date): { readonly text: string; readonly record: KeyRecord } => {
  const [id, secret] = [randomText(ID_LENGTH), randomText(SECRET_LENGTH)];
  const salt = randomBytes(SALT_BYTES).toString('base64url');
  return {
    text: `gmr_${id}_${secret}`,
    record: { id, salt, hash: hashOf(salt, secret), createdAt: now.toISOString() },
  };
};

/** Undefined for what is no key of the relay. */
export const readKey = (text: string): PresentedKey | undefined => {
  const [, id, secret] = KEY_PATTERN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
};

/** Whether this key is the one of the record, in a time that does not depend on where they differ. */
export const isKey = ({ salt, hash }: KeyRecord, { secret }: PresentedKey): boolean => {
  const [right, given] = [Buffer.from(hash), Buffer.from(hashOf(salt, secret))];
  return right.length === given.length && timingSafeEqual(right, given);
};
