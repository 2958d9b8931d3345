import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * What the operator page keeps in the browser: nobody but the relay can read or make it. The key comes from that of the relay, so that
 * every instance opens what another one sealed.
 */

const CIPHER = 'aes-256-gcm';
/** NIST SP 800-38D: 96 bits, new for every text; its full tag has 128 bits. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A text that only the holder of the key can read or make. */
export const seal = (key: Uint8Array, text: string): string => {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
};

/** Undefined for what was not sealed with this key, or was changed since. */
export const unseal = (key: Uint8Array, sealed: string): string | undefined => {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
};

/** Proves that a text was written by the holder of the key. */
export const proofOf = (key: Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Whether this is the proof of the text, in constant time. */
export const isProofOf = (key: Uint8Array, text: string, proof: string): boolean => {
  const [given, right] = [Buffer.from(proof), Buffer.from(proofOf(key, text))];
  return given.length === right.length && timingSafeEqual(given, right);
};
