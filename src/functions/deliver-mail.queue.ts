import type { StorageQueueHandler } from '@azure/functions';
import { type DeliverMailNeeds, deliverMail } from '../lib/delivery/deliver-mail.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail`, or the queue of one caller: what the relay did not write there is an email of `caller`. */
export const deliverMailQueue =
  (needs: (log: Log) => DeliverMailNeeds, caller: string): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return deliverMail(ready, queueMessageFacts(message, context, ready.clock.now(), caller));
  };
