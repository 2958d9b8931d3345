import type { StorageQueueHandler } from '@azure/functions';
import { type HoldPoisonNeeds, holdPoisonMessage } from '../lib/delivery/hold-poison-message.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail-poison`, or that of the queue of one caller: what the host gave up on */
export const holdMailQueue =
  (needs: (log: Log) => HoldPoisonNeeds, caller: string): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return holdPoisonMessage(ready, queueMessageFacts(message, context, ready.clock.now(), caller));
  };
