import type { StorageQueueHandler } from '@azure/functions';
import { QUEUE } from '../lib/callers/known-callers.ts';
import { type DeliverMailNeeds, deliverMail } from '../lib/delivery/deliver-mail.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail` */
export const deliverMailQueue =
  (needs: (log: Log) => DeliverMailNeeds): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return deliverMail(ready, queueMessageFacts(message, context, ready.clock.now(), QUEUE));
  };
