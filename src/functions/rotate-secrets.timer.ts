import type { TimerHandler } from '@azure/functions';
import { type RotateSecretsNeeds, rotateSecrets } from '../lib/credentials/rotate-secrets.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';

/** Daily */
export const rotateSecretsTimer =
  (needs: (log: Log) => RotateSecretsNeeds): TimerHandler =>
  (_timer, context) =>
    rotateSecrets(needs(logTo(context)));
