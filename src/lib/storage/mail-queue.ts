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

/**
 * Puts a message, into a queue that is made for it where it is missing: the code can be newer than its deployment, or somebody deleted
 * the queue. The identity of the app may do that (Storage Queue Data Contributor).
 */
const send = async (queue: QueueClient, text: string, delaySeconds = 0): Promise<void> => {
  const put = () =>
    queue.sendMessage(text, { visibilityTimeout: delaySeconds, messageTimeToLive: NEVER_EXPIRES });
  await put().catch(async (error: unknown) => {
    if ((error as { readonly code?: unknown }).code !== 'QueueNotFound') throw error;
    await queue.createIfNotExists();
    await put();
  });
};

const openQueue = (queue: QueueClient): WatchedQueue => ({
  // Seconds are the unit of the service. A message that comes back early is told to wait once more.
  put: explained((text, delayMs) =>
    send(queue, text, Math.min(Math.ceil(delayMs / 1000), LONGEST_DELAY_SECONDS)),
  ),
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
  put: explained((event) => send(queue, JSON.stringify(event))),
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
