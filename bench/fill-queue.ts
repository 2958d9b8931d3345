import { QueueServiceClient } from '@azure/storage-queue';
import { MAIL_QUEUE } from '../src/lib/storage/storage-connection.ts';
import { closedLoop } from './closed-loop.ts';
import type { BenchStorage } from './cloud.ts';
import { mailboxOf, sampleMail } from './sample-mail.ts';

/** Enough to keep storage busy. */
const AT_ONCE = 8;

export type Filling = { readonly count: number; readonly mailboxes: number; readonly visibleInMs: number };

/** Puts bare mails on the queue, the mailboxes in turn, all visible at the same time, to the second. */
export const fillQueue = async (storage: BenchStorage, filling: Filling): Promise<void> => {
  const queue = QueueServiceClient.fromConnectionString(storage.connectionString).getQueueClient(MAIL_QUEUE);
  const visibleAt = Date.now() + filling.visibleInMs;
  await closedLoop({ count: filling.count, concurrency: AT_ONCE }, async (index) => {
    const text = JSON.stringify(sampleMail(mailboxOf(index, filling.mailboxes)));
    const visibilityTimeout = Math.max(0, Math.ceil((visibleAt - Date.now()) / 1000));
    await queue.sendMessage(Buffer.from(text).toString('base64'), {
      visibilityTimeout,
      messageTimeToLive: -1,
    });
  });
};
