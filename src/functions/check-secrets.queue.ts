import type { StorageQueueHandler } from '@azure/functions';
import { checkSecrets } from '../lib/credentials/check-secrets.ts';
import type { WarnExpiringSecretsNeeds } from '../lib/credentials/warn-expiring-secrets.ts';
import { defined } from '../lib/defined.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { believedFacts } from './queue-message-facts.ts';

/** Queue `vault-events`: what the vault says of itself by Event Grid. Messages arrive as bytes (raw-queue-message.ts) */
export const checkSecretsQueue =
  (needs: (log: Log) => WarnExpiringSecretsNeeds): StorageQueueHandler =>
  (message, context) => {
    const { text, insertedAt } = believedFacts(message, context);
    return checkSecrets(needs(logTo(context)), {
      text,
      ...defined({ insertedAt }),
      // What the host says can be laid over by a field of the message: then it is delivered at most five times all the same.
      delivery: Number(context.triggerMetadata?.dequeueCount) || 1,
    });
  };
