import { type Envelope, fitsQueueMessage, toQueueText } from './mail/queue-message.ts';

export type QueueMailNeeds = {
  /** Puts a message on the queue `mail`, invisible for `delayMs`. */
  readonly putMessage: (text: string, delayMs: number) => Promise<void>;
  /** Keeps the JSON of a mail too big for a message; gives the name to find it by. */
  readonly putPayload: (mailId: string, json: string) => Promise<string>;
};

/**
 * Puts a mail on the queue for later. What does not fit a message is stored first, so that a message never
 * names a payload that is not there. Throws STORAGE_UNAVAILABLE.
 */
export const queueMail = async (
  needs: QueueMailNeeds,
  envelope: Envelope,
  delayMs: number,
): Promise<void> => {
  const text = toQueueText(envelope);
  if (fitsQueueMessage(text)) return needs.putMessage(text, delayMs);
  if (!('mail' in envelope.content)) throw new Error('an envelope without its mail is always small');
  const payload = await needs.putPayload(envelope.mailId, JSON.stringify(envelope.content.mail));
  await needs.putMessage(toQueueText({ ...envelope, content: { payload } }), delayMs);
};
