import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { Events, MessageQueue, Ports } from '../ports.ts';
import { explained } from './explain-failures.ts';
import {
  EVENT_QUEUE,
  MAIL_QUEUE,
  POISON_QUEUE,
  STORAGE_RETRIES,
  type StorageConnection,
} from './storage-connection.ts';

/** A message lives until it is dealt with: the default of seven days would lose a mail without a word. */
const NEVER_EXPIRES = -1;
/** https://learn.microsoft.com/rest/api/storageservices/put-message */
const LONGEST_DELAY_SECONDS = 7 * 86_400;

const openService = (connection: StorageConnection): QueueServiceClient =>
  connection.kind === 'connection-string'
    ? QueueServiceClient.fromConnectionString(connection.connectionString, STORAGE_RETRIES)
    : new QueueServiceClient(
        `https://${connection.accountName}.queue.core.windows.net`,
        connection.credential,
        STORAGE_RETRIES,
      );

const openQueue = (queue: QueueClient): MessageQueue => ({
  // Seconds are the unit of the service. A message that comes back early is told to wait once more.
  put: explained(async (text, delayMs) => {
    await queue.sendMessage(text, {
      visibilityTimeout: Math.min(Math.ceil(delayMs / 1000), LONGEST_DELAY_SECONDS),
      messageTimeToLive: NEVER_EXPIRES,
    });
  }),
  count: explained(async () => (await queue.getProperties()).approximateMessagesCount ?? 0),
});

const openEvents = (queue: QueueClient): Events => ({
  put: explained(async (event) => {
    await queue.sendMessage(JSON.stringify(event), { messageTimeToLive: NEVER_EXPIRES });
  }),
});

export type MailQueues = Required<Pick<Ports, 'mailQueue' | 'poisonQueue' | 'events'>>;

/** The queues of the relay: the one it waits on, the one of what the host gave up on, and the one that tells of final states. */
export const openMailQueues = (connection: StorageConnection): MailQueues => {
  const service = openService(connection);
  return {
    mailQueue: openQueue(service.getQueueClient(MAIL_QUEUE)),
    poisonQueue: openQueue(service.getQueueClient(POISON_QUEUE)),
    events: openEvents(service.getQueueClient(EVENT_QUEUE)),
  };
};
