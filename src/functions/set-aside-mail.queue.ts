import type { StorageQueueHandler } from '@azure/functions';
import type { Log } from '../lib/log.ts';
import { type SetAsideMailNeeds, setAsideMail } from '../lib/set-aside-mail.ts';
import { logTo } from './problem.ts';
import { queueMessageFacts } from './queue-message-facts.ts';

/** Queue `mail-poison`: what the host gave up on */
export const setAsideMailQueue =
  (needs: (log: Log) => SetAsideMailNeeds): StorageQueueHandler =>
  (message, context) => {
    const ready = needs(logTo(context));
    return setAsideMail(ready, queueMessageFacts(message, context, ready.now()));
  };
