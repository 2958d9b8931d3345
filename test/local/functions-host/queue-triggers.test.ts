import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../../local/azurite.ts';
import type { FunctionsHostOptions } from '../../../local/functions-host/start-functions-host.ts';
import { hostApp } from './hosted-app.ts';

type Context = { triggerMetadata: Record<string, unknown>; functionName: string };
type Received = { readonly payload: unknown; readonly context: Context };

let azurite: Azurite;
let queueNumber = 0;
let queueName: string;
let queue: QueueClient;
let poison: QueueClient;
let received: Received[];
let behave: (message: Received) => unknown;

beforeAll(async () => {
  azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
});
afterAll(() => azurite.close());

beforeEach(async () => {
  queueName = `mail-${queueNumber++}`;
  queue = new QueueClient(azurite.connectionString, queueName);
  poison = new QueueClient(azurite.connectionString, `${queueName}-poison`);
  await queue.create();
  received = [];
  behave = () => {};
  Object.assign(globalThis, {
    queueAppTest: {
      onMessage(payload: unknown, context: Context) {
        const message = { payload, context };
        received.push(message);
        return behave(message);
      },
    },
  });
});

const hostQueueApp = (settings: Record<string, string> = {}, options: Partial<FunctionsHostOptions> = {}) =>
  hostApp('queue-app', {
    ...options,
    storageConnectionString: azurite.connectionString,
    settings: { QUEUE_NAME: queueName, ...settings },
  });

const fail = () => {
  throw new Error('not now');
};

const lengthOf = async (client: QueueClient) => (await client.getProperties()).approximateMessagesCount;
const textsOf = async (client: QueueClient) =>
  (await client.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.map(
    ({ messageText }) => messageText,
  );

test('a JSON message arrives as an object, with its metadata, and is deleted', async () => {
  const { messageId } = await queue.sendMessage('{"mail":{"subject":"您好"}}');
  const { idle } = await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  await idle();
  const [{ payload, context }] = received as [Received];
  expect(payload).toEqual({ mail: { subject: '您好' } });
  expect(context.functionName).toBe('take');
  expect(context.triggerMetadata).toMatchObject({
    id: messageId,
    dequeueCount: 1,
    popReceipt: expect.any(String),
    insertionTime: expect.stringMatching(/^\d{4}-.*Z$/),
    expirationTime: expect.stringMatching(/^\d{4}-.*Z$/),
    nextVisibleTime: expect.stringMatching(/^\d{4}-.*Z$/),
    queueTrigger: payload,
  });
  expect(context.triggerMetadata).not.toHaveProperty('sys');
  await expect.poll(() => lengthOf(queue)).toBe(0);
});

test('a message that is no JSON arrives as text', async () => {
  await queue.sendMessage('just words');
  await hostQueueApp();
  await expect.poll(() => received.map(({ payload }) => payload)).toEqual(['just words']);
});

test('top-level properties of a JSON message hide the real metadata', async () => {
  await queue.sendMessage(
    '{"ID":"forged","dequeueCount":99,"popReceipt":"x","tags":["kept out"],"flag":true,"none":null}',
  );
  await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  expect(received[0]?.context.triggerMetadata).toMatchObject({
    id: 'forged',
    dequeueCount: 99,
    popReceipt: 'x',
    flag: 'True',
  });
  expect(received[0]?.context.triggerMetadata).not.toHaveProperty('tags');
  expect(received[0]?.context.triggerMetadata).not.toHaveProperty('none');
});

test('the metadata is laid over as Newtonsoft.Json reads it: single quotes, comments, dates', async () => {
  await queue.sendMessage(
    "{ /* lenient */ 'id': 'forged', due: '2026-01-01T00:00:00Z', at: '2026-01-01T08:00:00+08:00' }",
  );
  await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  expect(received[0]?.context.triggerMetadata).toMatchObject({
    id: 'forged',
    due: '01/01/2026 00:00:00',
    at: '01/01/2026 00:00:00',
  });
  expect(received[0]?.payload).toBeTypeOf('string');
});

test('a failed message comes back, and is deleted once it succeeds', async () => {
  behave = ({ context }) => context.triggerMetadata.dequeueCount === 1 && fail();
  await queue.sendMessage('again');
  const { idle } = await hostQueueApp();
  await expect
    .poll(() => received.map(({ context }) => context.triggerMetadata.dequeueCount))
    .toEqual([1, 2]);
  await idle();
  await expect.poll(() => lengthOf(queue)).toBe(0);
});

test('after maxDequeueCount failures the message goes to the poison queue, which is created', async () => {
  behave = ({ context }) => context.functionName === 'take' && fail();
  await queue.sendMessage('hopeless');
  const { lines } = await hostQueueApp({ 'AzureWebJobs.takePoison.Disabled': '1' });
  await expect.poll(() => poison.exists()).toBe(true);
  await expect.poll(() => textsOf(poison)).toEqual(['hopeless']);
  await expect.poll(() => lengthOf(queue)).toBe(0);
  expect(received).toHaveLength(2);
  expect(lines.filter((line) => line.includes('MaxDequeueCount'))).toEqual([
    expect.stringMatching(
      new RegExp(
        ` warning Microsoft\\.Azure\\.WebJobs\\.Host\\.Queues\\.QueueProcessor: Message has reached MaxDequeueCount of 2\\. Moving message to queue '${queueName}-poison'\\.$`,
      ),
    ),
  ]);
});

test('a function on the poison queue gets the message; when it fails there, the message stays hidden', async () => {
  behave = fail;
  await queue.sendMessage('hopeless');
  await hostQueueApp();
  await expect
    .poll(() => received.map(({ context }) => context.functionName))
    .toEqual(['take', 'take', 'takePoison']);
  await expect.poll(() => lengthOf(poison)).toBe(1);
  expect(await textsOf(poison)).toEqual([]);
});

test('a function that deleted the message itself has succeeded', async () => {
  behave = async ({ context }) => {
    const { id, popReceipt } = context.triggerMetadata as { id: string; popReceipt: string };
    await queue.deleteMessage(id, popReceipt);
  };
  await queue.sendMessage('gone already');
  const { idle, lines } = await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  await idle();
  expect(lines.filter((line) => / (?:warning|error) /.test(line))).toEqual([]);
});

test('a queue that is missing is waited for in silence', async () => {
  await queue.delete();
  const { lines } = await hostQueueApp();
  await queue.create();
  await queue.sendMessage('at last');
  await expect.poll(() => received.length).toBe(1);
  expect(lines.filter((line) => / (?:warning|error) /.test(line))).toEqual([]);
});

test('messages run side by side, up to what the batch and its threshold allow', async () => {
  const release: (() => void)[] = [];
  behave = () => new Promise<void>((resolve) => release.push(resolve));
  for (let index = 0; index < 3; index++) await queue.sendMessage(`m${index}`);
  const { idle } = await hostQueueApp();
  await expect.poll(() => release.length).toBe(3);
  for (const end of release) end();
  await idle();
  await expect.poll(() => lengthOf(queue)).toBe(0);
});

test('a stop waits for the message that runs, and takes no other', async () => {
  let end = () => {};
  behave = () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  await queue.sendMessage('running');
  const { close } = await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  const closed = close();
  await queue.sendMessage('too late');
  end();
  await closed;
  expect(received).toHaveLength(1);
  expect(await textsOf(queue)).toEqual(['too late']);
  expect(await lengthOf(queue)).toBe(1);
});

test('a message that runs longer than its lease is not given to anyone else', async () => {
  let end = () => {};
  behave = () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  await queue.sendMessage('long');
  const { idle } = await hostQueueApp({}, { queueLeaseSeconds: 2 });
  await expect.poll(() => received.length).toBe(1);
  const leasedUntil = Date.parse(String(received[0]?.context.triggerMetadata.nextVisibleTime));
  await expect.poll(() => Date.now() > leasedUntil).toBe(true);
  expect(await textsOf(queue)).toEqual([]);
  end();
  await idle();
  expect(received).toHaveLength(1);
  await expect.poll(() => lengthOf(queue)).toBe(0);
});

test('a queue function runs on POST /admin/functions/{name} with the master key', async () => {
  const { url } = await hostQueueApp();
  const post = (headers: Record<string, string>) =>
    fetch(`${url}/admin/functions/take`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ input: '{"a":1}' }),
    });
  expect((await post({})).status).toBe(401);
  expect((await post({ 'x-functions-key': 'the-master-key' })).status).toBe(202);
  await expect.poll(() => received.map(({ payload }) => payload)).toEqual([{ a: 1 }]);
  const { triggerMetadata } = received[0]!.context;
  expect(triggerMetadata).toMatchObject({ dequeueCount: 0 });
  expect(triggerMetadata).not.toHaveProperty('id');
  expect(triggerMetadata).not.toHaveProperty('popReceipt');
});

test('POST /admin/host/drain stops the listener at once, and lets what runs go on', async () => {
  let end = () => {};
  behave = () =>
    new Promise<void>((resolve) => {
      end = resolve;
    });
  await queue.sendMessage('running');
  const { url, idle } = await hostQueueApp();
  await expect.poll(() => received.length).toBe(1);
  const headers = { 'x-functions-key': 'the-master-key' };
  await fetch(`${url}/admin/host/drain`, { method: 'POST', headers });
  await queue.sendMessage('too late');
  const status = await fetch(`${url}/admin/host/drain/status`, { headers });
  expect(await status.json()).toMatchObject({ state: 'InProgress', outstandingInvocations: 1 });
  end();
  await idle();
  expect(received).toHaveLength(1);
  expect(await textsOf(queue)).toEqual(['too late']);
});

test('a connection without a setting is an error that names it', async () => {
  await expect(
    hostApp('queue-app', { storageConnectionString: '', settings: { QUEUE_NAME: queueName } }),
  ).rejects.toThrow('the setting AzureWebJobsStorage is not set');
  await expect(hostApp('queue-app', { settings: {} })).rejects.toThrow('refers to %QUEUE_NAME%');
});
