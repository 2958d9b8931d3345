import type { TimerHandler } from '@azure/functions';
import { checkDaily } from '../lib/credentials/check-secrets.ts';
import type { WarnExpiringSecretsNeeds } from '../lib/credentials/warn-expiring-secrets.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Daily */
export const warnExpiringSecretsTimer =
  (needs: (log: Log) => WarnExpiringSecretsNeeds): TimerHandler =>
  (_timer, context) =>
    checkDaily(needs(logTo(context)));
