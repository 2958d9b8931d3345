import { type Envelope, fitsQueueMessage, toQueueText } from '../ledger/queue-message.ts';
import { holdsLong, writeJson } from '../mail/json-bytes.ts';
import type { Ports } from '../ports.ts';

export type QueueMailNeeds = Pick<Ports, 'mailQueue' | 'payloads' | 'readIdentity'>;

/**
 * Puts an email on the queue for later. What does not fit a message is stored first, so that a message never speaks of
 * content that is not there. Throws STORAGE_UNAVAILABLE.
 */
export const queueMail = async (
  { mailQueue, payloads, readIdentity }: QueueMailNeeds,
  envelope: Envelope,
  delayMs: number,
): Promise<void> => {
  const identity = await readIdentity();
  const { content } = envelope;
  // Such an email is larger than any message: its text is not made to find that out.
  if (content === 'stored' || !holdsLong(content.mail)) {
    const text = toQueueText(envelope, identity);
    if (fitsQueueMessage(text)) return mailQueue.put(text, delayMs);
  }
  await storeContent({ payloads }, envelope);
  await mailQueue.put(toQueueText({ ...envelope, content: 'stored' }, identity), delayMs);
};

/** Stores the content of an email, by which a message without it finds it. */
export const storeContent = async (
  { payloads }: Pick<Ports, 'payloads'>,
  { mailId, contentHash, content }: Envelope,
): Promise<void> => {
  if (content === 'stored') throw new Error('an envelope without its email is always small');
  await payloads.put(mailId, contentHash, writeJson(content.mail));
};

/** Deletes the stored content of an email that needs it no more. Should this fail, the sweep finds it. */
export const deletePayload = async (
  { payloads }: Pick<Ports, 'payloads'>,
  { mailId, contentHash, content }: Envelope,
): Promise<void> => {
  if (content === 'stored') await payloads.delete(mailId, contentHash);
};
