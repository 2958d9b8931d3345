import type { TimerHandler } from '@azure/functions';
import { type PollBouncesNeeds, pollBounces } from '../lib/delivery/poll-bounces.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Every five minutes, where MAIL_BOUNCES is on */
export const pollBouncesTimer =
  (needs: (log: Log) => PollBouncesNeeds): TimerHandler =>
  (_timer, context) =>
    pollBounces(needs(logTo(context)));
