import { createHash } from 'node:crypto';
import { v5 } from 'uuid';

/** Makes ids from names; a namespace of our own (RFC 9562, 5.5). */
const NAMESPACE = '9a4f6f0e-2f7e-4a6d-8f4e-1f0f3c7f5a20';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * The id of the mail with this key: the same for the same caller and key, and no other. A key with half a character,
 * of which no id can be made, still gets one: its mail is refused for it.
 */
export const mailIdOfKey = (caller: string, key: string): string =>
  v5(`${caller}\n${key}`.toWellFormed(), NAMESPACE);

/** The id of the mail in a bare queue message, whose redelivery must be the same mail. */
export const mailIdOfQueueMessage = (messageId: string): string =>
  v5(`queue message\n${messageId}`, NAMESPACE);

export const hashKey = (key: string): string => sha256(key);

/** The hash two requests must share to be the same mail; the key itself is not part of it. */
export const hashBody = (input: unknown): string => {
  const { idempotencyKey: _, ...mail } = input as Record<string, unknown>;
  return sha256(JSON.stringify(mail));
};

/** Names a caller by its function key without keeping the key: 60 bits of its hash. */
export const callerOfKey = (functionKey: string): string =>
  `key:${sha256(`caller\n${functionKey}`).slice(0, 10)}`;
