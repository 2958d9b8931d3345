import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { EventQueue, WatchedQueue } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { clientOptionsOf, EVENT_QUEUE, type StorageConnection } from './storage-connection.ts';

/** A message lives until it is dealt with: the default of seven days would lose a mail without a word. */
const NEVER_EXPIRES = -1;
/** https://learn.microsoft.com/rest/api/storageservices/put-message */
const LONGEST_DELAY_SECONDS = 7 * 86_400;

const openService = (connection: StorageConnection): QueueServiceClient =>
  connection.kind === 'connection-string'
    ? QueueServiceClient.fromConnectionString(connection.connectionString, clientOptionsOf(connection))
    : new QueueServiceClient(connection.addresses.queue, connection.credential, clientOptionsOf(connection));

const openQueue = (queue: QueueClient): WatchedQueue => ({
  // Seconds are the unit of the service. A message that comes back early is told to wait once more.
  put: explained(async (text, delayMs) => {
    await queue.sendMessage(text, {
      visibilityTimeout: Math.min(Math.ceil(delayMs / 1000), LONGEST_DELAY_SECONDS),
      messageTimeToLive: NEVER_EXPIRES,
    });
  }),
  count: explained(async () => {
    try {
      return (await queue.getProperties()).approximateMessagesCount ?? 0;
    } catch (error) {
      if ((error as { readonly statusCode?: number }).statusCode === 404) return undefined;
      throw error;
    }
  }),
  peek: explained(async () => {
    const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 1 });
    const [next] = peekedMessageItems;
    return next && { id: next.messageId, putAt: next.insertedOn };
  }),
});

const openEvents = (queue: QueueClient): EventQueue => ({
  put: explained(async (event) => {
    await queue.sendMessage(JSON.stringify(event), { messageTimeToLive: NEVER_EXPIRES });
  }),
});

export type MailQueues = {
  readonly queueNamed: (name: string) => WatchedQueue;
  readonly events: EventQueue;
};

/** The queues of messages by their names, and the one that tells of final states. */
export const openMailQueues = (connection: StorageConnection): MailQueues => {
  const service = openService(connection);
  return {
    queueNamed: (name) => openQueue(service.getQueueClient(name)),
    events: openEvents(service.getQueueClient(EVENT_QUEUE)),
  };
};
