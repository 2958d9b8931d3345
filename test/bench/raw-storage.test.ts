import { afterAll, expect, test } from 'vitest';
import { startCountingProxy } from '../../bench/counting-proxy.ts';
import { fillLedger } from '../../bench/fill-ledger.ts';
import { queryByPartition } from '../../bench/processes/partition-index.ts';
import { openRawStorage, type RawEntity } from '../../bench/raw-storage.ts';
import { startAzurite } from '../../local/azurite.ts';
import { layOutStorage } from '../../local/storage-layout.ts';

queryByPartition();
const azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
await layOutStorage(azurite.connectionString);
const storage = openRawStorage(azurite.connectionString);
afterAll(async () => {
  storage.close();
  await azurite.close();
});

const named = ({ RowKey }: RawEntity) => RowKey;

test('a row is inserted, and replaced only at the version that was inserted', async () => {
  await storage.createTable('rows');
  const row = { PartitionKey: 'a', RowKey: 'b!c', text: 'x' };
  const etag = await storage.insertEntity('rows', row);
  await storage.replaceEntity('rows', { ...row, text: 'y' }, etag);
  expect(await storage.listEntities('rows', "PartitionKey eq 'a'")).toMatchObject([{ text: 'y' }]);
  await expect(storage.replaceEntity('rows', { ...row, text: 'z' }, etag)).rejects.toThrow('412');
});

test('a message is received when it is visible, and is deleted once', async () => {
  await storage.createQueue('messages');
  await storage.putMessage('messages', 'körper', 0);
  await storage.putMessage('messages', 'later', 60);
  const received = await storage.receiveMessages('messages', 16, 60);
  expect(received.map(({ text }) => text)).toEqual(['körper']);
  const [message = { id: '', popReceipt: '', text: '' }] = received;
  await storage.deleteMessage('messages', message);
  await expect(storage.deleteMessage('messages', message)).rejects.toThrow('404');
});

test('a query of one partition, which the bench narrows, gives what the filter says', async () => {
  await storage.createTable('parts');
  for (const PartitionKey of ['a', 'b'])
    await storage.insertEntities(
      'parts',
      ['1', '2', '3'].map((RowKey) => ({ PartitionKey, RowKey })),
    );
  const list = async (filter: string) => (await storage.listEntities('parts', filter)).map(named);
  expect(await list("PartitionKey eq 'a' and RowKey ge '1' and RowKey lt '3'")).toEqual(['1', '2']);
  expect(await list("PartitionKey eq 'a' and (RowKey eq '1' or RowKey eq '3')")).toEqual(['1', '3']);
  expect(await list("PartitionKey eq 'a' and RowKey eq '1' or RowKey eq '3'")).toEqual(['1', '3', '3']);
  expect(await list("PartitionKey eq 'c' and RowKey ge '1'")).toEqual([]);
});

test('a ledger is filled with copies of all that it has of one email, spread over the partitions', async () => {
  const template = '01a20556-8aab-77d5-aa30-5d8c2af8cc9f';
  const row = { PartitionKey: '9f', RowKey: template, row: `{"mailId":"${template}"}` };
  await storage.insertEntities('mailledger', [row, { PartitionKey: '9f', RowKey: `final!${template}` }]);
  await fillLedger(azurite, template, 512);
  const copies = await storage.listEntities('mailledger', "PartitionKey eq '07'");
  const [first = '', second = ''] = copies.map(named).filter((key) => !key.startsWith('final!'));
  expect(copies.map(named).sort()).toEqual([first, second, `final!${first}`, `final!${second}`].sort());
  expect(first).toMatch(/^01a20556-8aab-77d5-aa30-[\da-f]{10}07$/);
  expect(copies.find(({ RowKey }) => RowKey === first)?.row).toBe(`{"mailId":"${first}"}`);
});

test('the proxy counts requests and the bytes of both directions, and changes neither', async () => {
  const table = /TableEndpoint=([^;]+)/.exec(azurite.connectionString)?.[1] ?? '';
  const proxy = await startCountingProxy(table);
  const behind = openRawStorage(azurite.connectionString.replace(table, proxy.url));
  await storage.createTable('counted');
  const row = { PartitionKey: 'a', RowKey: 'b' };
  expect(await proxy.count(() => behind.insertEntity('counted', row))).toEqual({
    requests: 1,
    bytes: JSON.stringify(row).length,
  });
  const { requests, bytes } = await proxy.count(() => behind.listEntities('counted', "PartitionKey eq 'a'"));
  expect(requests).toBe(1);
  expect(bytes).toBeGreaterThan(JSON.stringify(row).length);
  behind.close();
  await proxy.close();
});
