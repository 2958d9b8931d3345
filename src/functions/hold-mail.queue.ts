import type { StorageQueueHandler } from '@azure/functions';
import { QUEUE } from '../lib/callers/known-callers.ts';
import { type HoldPoisonNeeds, holdPoisonMessage } from '../lib/delivery/hold-poison-message.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail-poison`: what the host gave up on */
export const holdMailQueue =
  (needs: (log: Log) => HoldPoisonNeeds): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return holdPoisonMessage(ready, queueMessageFacts(message, context, ready.clock.now(), QUEUE));
  };
