import { createHash } from 'node:crypto';
import type { InvocationContext, StorageQueueHandler } from '@azure/functions';
import { NIL, v5 } from 'uuid';
import { type DeliverMailNeeds, deliverMail } from '../lib/deliver-mail.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Queue `mail` */
export const deliverMailQueue =
  (needs: (log: Log) => DeliverMailNeeds): StorageQueueHandler =>
  async (message, context) => {
    const ready = needs(logTo(context));
    await deliverMail(ready, message, {
      mailIdOfMessage: mailIdOfMessage(message, context),
      insertedAt: readTime(context.triggerMetadata?.insertionTime) ?? ready.now(),
    });
  };

/**
 * The id of the mail in a bare message: derived from the id of the message, so that a redelivery is the same
 * mail. The host copies top-level fields of a JSON message over this metadata
 * (azure-functions-nodejs-library issue 459); a value that is no message id is one of those, and then the
 * content stands in for it: such a message is refused for its unknown field anyway.
 */
export const mailIdOfMessage = (message: unknown, context: InvocationContext): string => {
  const id = context.triggerMetadata?.id;
  const known = typeof id === 'string' && /^[0-9a-f-]{36}$/i.test(id);
  return v5(known ? id : createHash('sha256').update(toText(message)).digest('hex'), NIL);
};

const toText = (message: unknown): string | Uint8Array =>
  typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message);

const readTime = (value: unknown): Date | undefined => {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
};
