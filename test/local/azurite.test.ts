import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { afterEach, expect, test } from 'vitest';
import { type Azurite, type AzuriteOptions, startAzurite } from '../../local/azurite.ts';
import { listen } from '../../local/http.ts';

const ANY_PORTS = { blobPort: 0, queuePort: 0, tablePort: 0 };
const running: Azurite[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const azurite of running.splice(0)) await azurite.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(options: Partial<AzuriteOptions> = {}) {
  const azurite = await startAzurite({ ...ANY_PORTS, ...options });
  running.push(azurite);
  const { connectionString } = azurite;
  return {
    ...azurite,
    queue: new QueueClient(connectionString, 'mail'),
    container: BlobServiceClient.fromConnectionString(connectionString).getContainerClient('payloads'),
    table: TableClient.fromConnectionString(connectionString, 'ledger', { allowInsecureConnection: true }),
  };
}

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'azurite-'));
  folders.push(folder);
  return join(folder, 'storage');
}

test('queues, blobs and tables answer on this machine', async () => {
  const { queueUrl, blobUrl, tableUrl, queue, container, table } = await start();
  for (const url of [queueUrl, blobUrl, tableUrl])
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1$/);
  await queue.create();
  await container.create();
  await table.createTable();
  expect(await queue.exists()).toBe(true);
});

test('what is in a folder survives a restart', async () => {
  const folder = aFolder();
  const first = await start({ folder });
  await first.queue.create();
  await first.queue.sendMessage('still here');
  await first.container.create();
  await first.container.uploadBlockBlob('a/b', 'bytes', 5);
  await first.table.createTable();
  await first.table.createEntity({ partitionKey: 'p', rowKey: 'r', state: 'sent' });
  await first.close();

  const { queue, container, table } = await start({ folder });
  const { receivedMessageItems } = await queue.receiveMessages();
  expect(receivedMessageItems.map(({ messageText }) => messageText)).toEqual(['still here']);
  expect((await container.getBlobClient('a/b').downloadToBuffer()).toString()).toBe('bytes');
  expect(await table.getEntity('p', 'r')).toMatchObject({ state: 'sent' });
});

test('without a folder nothing stays, and two do not see each other', async () => {
  const [one, other] = [await start(), await start()];
  await one.queue.create();
  expect(await other.queue.exists()).toBe(false);
});

test('a port that is taken is an error that names the service and its setting', async () => {
  const taken = await listen(createServer(), { name: 'A test', port: 0, portSetting: 'NONE' });
  await expect(
    startAzurite({
      ...ANY_PORTS,
      queuePort: taken.port,
      portSettings: { blob: 'STORAGE_BLOB_PORT', queue: 'STORAGE_QUEUE_PORT', table: 'STORAGE_TABLE_PORT' },
    }),
  ).rejects.toThrow(/^Queue storage \(Azurite\) cannot listen on .* Set STORAGE_QUEUE_PORT to a free port/);
  await taken.close();
});
