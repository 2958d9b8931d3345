import { QueueServiceClient } from '@azure/storage-queue';
import type { QueueMailNeeds } from '../queue-mail.ts';
import { MAIL_QUEUE, STORAGE_RETRIES, type StorageConnection } from './storage-connection.ts';

/** A message lives until it is dealt with: the default of seven days would lose a mail without a word. */
const NEVER_EXPIRES = -1;

const openService = (connection: StorageConnection): QueueServiceClient =>
  connection.kind === 'connection-string'
    ? QueueServiceClient.fromConnectionString(connection.connectionString, STORAGE_RETRIES)
    : new QueueServiceClient(
        `https://${connection.accountName}.queue.core.windows.net`,
        connection.credential,
        STORAGE_RETRIES,
      );

export const openMailQueue = (connection: StorageConnection): Pick<QueueMailNeeds, 'putMessage'> => {
  const queue = openService(connection).getQueueClient(MAIL_QUEUE);
  return {
    putMessage: async (text, delayMs) => {
      await queue.sendMessage(text, {
        // Seconds are the unit of the service; never earlier than asked.
        visibilityTimeout: Math.ceil(delayMs / 1000),
        messageTimeToLive: NEVER_EXPIRES,
      });
    },
  };
};
