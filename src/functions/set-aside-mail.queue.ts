import type { StorageQueueHandler } from '@azure/functions';
import type { Log } from '../lib/log.ts';
import type { SetAsideNeeds } from '../lib/set-aside.ts';
import { setAsideMail } from '../lib/set-aside-mail.ts';
import { mailIdOfMessage } from './deliver-mail.queue.ts';
import { logTo } from './problem.ts';

/** Queue `mail-poison`: what the host gave up on */
export const setAsideMailQueue =
  (needs: (log: Log) => SetAsideNeeds): StorageQueueHandler =>
  (message, context) =>
    setAsideMail(needs(logTo(context)), message, mailIdOfMessage(message, context));
