import type { TimerHandler } from '@azure/functions';
import { sweepMail } from '../lib/delivery/sweep-mail.ts';
import type { SweepNeeds } from '../lib/delivery/sweep-run.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Hourly */
export const sweepMailTimer =
  (needs: (log: Log) => SweepNeeds): TimerHandler =>
  (_timer, context) =>
    sweepMail(needs(logTo(context)));
