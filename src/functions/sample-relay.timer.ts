import type { TimerHandler } from '@azure/functions';
import { type SampleNeeds, sampleRelay } from '../lib/desk/sample-relay.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Every five minutes */
export const sampleRelayTimer =
  (needs: (log: Log) => SampleNeeds): TimerHandler =>
  (_timer, context) =>
    sampleRelay(needs(logTo(context)));
