import type { StorageQueueHandler } from '@azure/functions';
import { type HoldMailNeeds, holdMail } from '../lib/delivery/hold-poison-message.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail-poison`: what the host gave up on */
export const holdMailQueue =
  (needs: (log: Log) => HoldMailNeeds): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return holdMail(ready, queueMessageFacts(message, context, ready.now()));
  };
