import { createHash } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import { mailIdOfQueueMessage } from '../lib/ledger/idempotency.ts';

/**
 * What the host says of a queue message. The host copies top-level fields of a JSON message over this metadata
 * (azure-functions-nodejs-library issue 459); a value that is no message id is one of those, and then the
 * content stands in for it: such a message is refused for its unknown field anyway.
 */
export const queueMessageFacts = (message: unknown, { triggerMetadata }: InvocationContext, now: Date) => {
  const id = triggerMetadata?.id;
  const known = typeof id === 'string' && /^[0-9a-f-]{36}$/i.test(id);
  return {
    mailIdOfMessage: mailIdOfQueueMessage(
      known ? id : createHash('sha256').update(toText(message)).digest('hex'),
    ),
    insertedAt: readTime(triggerMetadata?.insertionTime) ?? now,
    redelivered: Number(triggerMetadata?.dequeueCount) > 1,
  };
};

const toText = (message: unknown): string | Uint8Array =>
  typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message);

const readTime = (value: unknown): Date | undefined => {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
};
