import { type Envelope, fitsQueueMessage, toQueueText } from '../ledger/queue-message.ts';
import type { IdentityNeeds } from './arrived-message.ts';

export type QueueMailNeeds = IdentityNeeds & {
  /** Puts a message on the queue `mail`, invisible for `delayMs`. */
  readonly putMessage: (text: string, delayMs: number) => Promise<void>;
  /** Keeps the JSON of an email too big for a message. */
  readonly putPayload: (mailId: string, contentHash: string, json: string) => Promise<void>;
};

/**
 * Puts an email on the queue for later. What does not fit a message is stored first, so that a message never speaks of
 * content that is not there. Throws STORAGE_UNAVAILABLE.
 */
export const queueMail = async (
  needs: QueueMailNeeds,
  envelope: Envelope,
  delayMs: number,
): Promise<void> => {
  const identity = await needs.readIdentity();
  const text = toQueueText(envelope, identity);
  if (fitsQueueMessage(text)) return needs.putMessage(text, delayMs);
  const { mailId, contentHash, content } = envelope;
  if (content === 'stored') throw new Error('an envelope without its email is always small');
  await needs.putPayload(mailId, contentHash, JSON.stringify(content.mail));
  await needs.putMessage(toQueueText({ ...envelope, content: 'stored' }, identity), delayMs);
};
