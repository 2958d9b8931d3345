import type { TimerHandler } from '@azure/functions';
import type { Log } from '../lib/log.ts';
import { type SweepNeeds, sweepMail } from '../lib/sweep-mail.ts';
import { logTo } from './problem.ts';

/** Hourly */
export const sweepMailTimer =
  (needs: (log: Log) => SweepNeeds): TimerHandler =>
  (_timer, context) =>
    sweepMail(needs(logTo(context)));
