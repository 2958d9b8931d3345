import type { TimerHandler } from '@azure/functions';
import {
  type WarnExpiringSecretsNeeds,
  warnExpiringSecrets,
} from '../lib/credentials/warn-expiring-secrets.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Daily */
export const warnExpiringSecretsTimer =
  (needs: (log: Log) => WarnExpiringSecretsNeeds): TimerHandler =>
  (_timer, context) =>
    warnExpiringSecrets(needs(logTo(context)));
