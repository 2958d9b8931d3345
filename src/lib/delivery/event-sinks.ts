import { type CloudEvent, toCloudEvent } from '../events/cloud-event.ts';
import { toWebhookText } from '../events/webhook-message.ts';
import { type WebhookReceiver, wants } from '../events/webhook-receiver.ts';
import type { EventQueue, Events, Ports } from '../ports.ts';

/** Events for other systems, in the shape of CloudEvents. */
export const inCloudEvents = (queue: EventQueue, source: string): Events => ({
  put: (event) => queue.put(toCloudEvent(event, source)),
});

export type ToWebhooksNeeds = Pick<Ports, 'webhookQueue' | 'readIdentity' | 'clock'> & {
  readonly source: string;
  /** Undefined while the setting is invalid: then each event is kept until it is known who wants it. */
  readonly receivers: () => readonly WebhookReceiver[] | undefined;
};

/** Events for webhooks: one message each on a queue of the relay's own, whatever the receivers do. */
export const toWebhooks = (needs: ToWebhooksNeeds): Events => ({
  put: async (relayEvent) => {
    const event: CloudEvent = toCloudEvent(relayEvent, needs.source);
    const receivers = needs.receivers();
    if (receivers !== undefined && !receivers.some((one) => wants(one, event))) return;
    const message = { event, attempts: 0, since: needs.clock.now() };
    await needs.webhookQueue.put(toWebhookText(message, await needs.readIdentity()), 0);
  },
});

/** All of these; undefined where there is none. If one fails, the others get the event all the same, and all get it again later. */
export const allOf = (sinks: readonly Events[]): Events | undefined =>
  sinks.length === 0
    ? undefined
    : {
        put: async (event) => {
          const failures: unknown[] = [];
          for (const sink of sinks)
            await sink.put(event).catch((failure: unknown) => void failures.push(failure));
          if (failures.length > 0) throw failures[0];
        },
      };
