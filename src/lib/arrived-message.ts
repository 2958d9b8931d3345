import { mailIdOfKey } from './ledger/idempotency.ts';
import type { Envelope, QueueMessage } from './mail/queue-message.ts';

/** Mails that came by queue, whoever put them there. */
export const QUEUE_CALLER = 'queue';

/** What the host says of a queue message. */
export type MessageFacts = {
  /** The id of a mail that came bare, always the same for the same message. */
  readonly mailIdOfMessage: string;
  readonly insertedAt: Date;
};

/** A message as an envelope: a bare one is its mail's first. */
export const toEnvelope = (read: QueueMessage, { mailIdOfMessage, insertedAt }: MessageFacts): Envelope => {
  if (read.kind === 'envelope') return read;
  const { idempotencyKey: key } = read.mail as { readonly idempotencyKey?: unknown };
  return {
    mailId: typeof key === 'string' ? mailIdOfKey(QUEUE_CALLER, key) : mailIdOfMessage,
    acceptedAt: insertedAt,
    caller: QUEUE_CALLER,
    turn: 0,
    phase: 'send',
    lookUps: 0,
    content: { mail: read.mail },
  };
};
