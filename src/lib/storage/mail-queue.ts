import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { HoldMailNeeds } from '../delivery/hold-poison-message.ts';
import type { AnnounceNeeds } from '../delivery/mail-event.ts';
import type { QueueMailNeeds } from '../delivery/queue-mail.ts';
import type { SweepNeeds } from '../delivery/sweep-mail.ts';
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

/** Invisible for so long: seconds are the unit of the service. A message that comes back early is told to wait once more. */
const put = async (queue: QueueClient, text: string, delayMs: number): Promise<void> => {
  await queue.sendMessage(text, {
    visibilityTimeout: Math.min(Math.ceil(delayMs / 1000), LONGEST_DELAY_SECONDS),
    messageTimeToLive: NEVER_EXPIRES,
  });
};

export type MailQueues = Pick<QueueMailNeeds, 'putMessage'> &
  Pick<HoldMailNeeds, 'putPoison'> &
  Pick<SweepNeeds, 'countPoison'> &
  Required<AnnounceNeeds>;

/** The queues of the relay: the one it waits on, and the one that tells of final states. */
export const openMailQueues = (connection: StorageConnection): MailQueues => {
  const service = openService(connection);
  const mails = service.getQueueClient(MAIL_QUEUE);
  const events = service.getQueueClient(EVENT_QUEUE);
  const poison = service.getQueueClient(POISON_QUEUE);
  return {
    putMessage: (text, delayMs) => put(mails, text, delayMs),
    putPoison: (text, delayMs) => put(poison, text, delayMs),
    countPoison: async () => (await poison.getProperties()).approximateMessagesCount ?? 0,
    putEvent: async (event) => {
      await events.sendMessage(JSON.stringify(event), { messageTimeToLive: NEVER_EXPIRES });
    },
  };
};
