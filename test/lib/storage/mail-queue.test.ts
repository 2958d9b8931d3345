import { QueueServiceClient } from '@azure/storage-queue';
import { afterEach, expect, test } from 'vitest';
import type { MailEvent } from '../../../src/lib/ledger/mail-event.ts';
import { openMailQueues } from '../../../src/lib/storage/mail-queue.ts';
import {
  callerQueueOf,
  EVENT_QUEUE,
  MAIL_QUEUE,
  POISON_QUEUE,
  poisonQueueOf,
} from '../../../src/lib/storage/storage-connection.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const { queueNamed, events: announced } = openMailQueues(connection);
const [mailQueue, poisonQueue] = [queueNamed(MAIL_QUEUE), queueNamed(POISON_QUEUE)];
const service = QueueServiceClient.fromConnectionString(connection.connectionString);
const mails = service.getQueueClient(MAIL_QUEUE);
const events = service.getQueueClient(EVENT_QUEUE);

afterEach(() => Promise.all([mails.clearMessages(), events.clearMessages()]));

const peekMails = async () => (await mails.peekMessages({ numberOfMessages: 32 })).peekedMessageItems;

test('a message arrives as it was written, and never expires', async () => {
  await mailQueue.put('eyJyZWxheSI6e319', 0);
  const [message] = await peekMails();
  expect(message?.messageText).toBe('eyJyZWxheSI6e319');
  expect(message?.expiresOn.getUTCFullYear()).toBeGreaterThan(9000);
});

test('a message with a delay is there but hidden, and never earlier than asked', async () => {
  await mailQueue.put('hidden', 1);
  const { approximateMessagesCount } = await mails.getProperties();
  expect([approximateMessagesCount, await peekMails()]).toEqual([1, []]);
});

test('a message that could not be held goes back to the poison queue, hidden for a while, and is counted', async () => {
  await poisonQueue.put('stuck', 60_000);
  expect(await poisonQueue.count()).toBe(1);
  await service.getQueueClient(POISON_QUEUE).clearMessages();
  expect(await poisonQueue.count()).toBe(0);
});

test('the message that is due next is seen without being taken, and a hidden one is not seen', async () => {
  await mailQueue.put('hidden', 60_000);
  expect(await mailQueue.peek()).toBeUndefined();
  await mailQueue.put('visible', 0);
  const seen = await mailQueue.peek();
  expect(seen).toEqual({ id: expect.any(String), putAt: expect.any(Date) });
  expect(await mailQueue.peek()).toEqual(seen);
});

test('a queue that does not exist is told from one without messages', async () => {
  const missing = queueNamed(poisonQueueOf(callerQueueOf('payroll')));
  expect(await missing.count()).toBeUndefined();
});

test('a message can wait for a day', async () => {
  await mailQueue.put('tomorrow', 86_400_000);
  expect(await peekMails()).toEqual([]);
});

test('a full message of 48 KiB in base64 is taken', async () => {
  const text = Buffer.alloc(49_152, 1).toString('base64');
  await mailQueue.put(text, 0);
  expect((await peekMails())[0]?.messageText).toBe(text);
});

test('an event is plain JSON on a queue of its own', async () => {
  const event: MailEvent = {
    id: 'm/0/sent',
    eventType: 'GraphMailRelay.Mail.Sent',
    subject: 'mail/m',
    eventTime: '2026-03-02T08:00:00.000Z',
    dataVersion: '1',
    data: { mailId: 'm', state: 'sent', caller: 'key:x', tags: ['薪資'] },
  };
  await announced.put(event);
  const { peekedMessageItems } = await events.peekMessages();
  expect(peekedMessageItems.map(({ messageText }) => JSON.parse(messageText))).toEqual([event]);
  expect(await peekMails()).toEqual([]);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openMailQueues(awayStorage(connection));
  await expect(away.queueNamed(MAIL_QUEUE).put('x', 0)).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});

test('a queue that is missing is made for the message, so that no event waits for a deployment', async () => {
  const name = 'events-of-a-newer-version';
  const missing = service.getQueueClient(name);
  await missing.deleteIfExists();
  await queueNamed(name).put('first', 0);
  const { peekedMessageItems } = await missing.peekMessages();
  expect(peekedMessageItems.map(({ messageText }) => messageText)).toEqual(['first']);
});
