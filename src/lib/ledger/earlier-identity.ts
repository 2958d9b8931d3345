import { createHash } from 'node:crypto';
import { v5 } from 'uuid';

/*
 * Ids and hashes as the relay made them before it had a key. A ledger that is older than its key has rows with them: an
 * idempotency key that was used then, or a message that was delivered then, must still meet its row.
 */

const NAMESPACE = '9a4f6f0e-2f7e-4a6d-8f4e-1f0f3c7f5a20';

/** Undefined for a key that no email of that time could have had. */
export const earlierIdOfKey = (caller: string, key: string): string | undefined =>
  key.isWellFormed() ? v5(`${caller}\n${key}`, NAMESPACE) : undefined;

export const earlierIdOfMessage = (messageId: string): string => v5(`queue message\n${messageId}`, NAMESPACE);

export const earlierHashOfContent = (mail: object): string => {
  const { idempotencyKey: _, ...content } = mail as Record<string, unknown>;
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
};
