import type { StorageQueueHandler } from '@azure/functions';
import { type DeliverWebhookNeeds, deliverWebhook } from '../lib/delivery/deliver-webhook.ts';
import type { Log } from '../lib/log.ts';
import { logTo } from './problem.ts';
import { believedFacts } from './queue-message-facts.ts';

/** Queue `webhook-events`: events that the relay posts to webhooks. Messages arrive as bytes (raw-queue-message.ts) */
export const deliverWebhookQueue =
  (needs: (log: Log) => DeliverWebhookNeeds): StorageQueueHandler =>
  (message, context) =>
    deliverWebhook(needs(logTo(context)), believedFacts(message, context).text);
