import type { TimerHandler } from '@azure/functions';
import type { Log } from '../lib/log.ts';
import { type WarnExpiringSecretsNeeds, warnExpiringSecrets } from '../lib/warn-expiring-secrets.ts';
import { logTo } from './problem.ts';

/** Daily */
export const warnExpiringSecretsTimer =
  (needs: (log: Log) => WarnExpiringSecretsNeeds): TimerHandler =>
  (_timer, context) =>
    warnExpiringSecrets(needs(logTo(context)));
