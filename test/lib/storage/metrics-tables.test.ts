import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { openCountsTable } from '../../../src/lib/storage/counts-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openSamplesTable } from '../../../src/lib/storage/samples-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { countsContract } from '../../contract/counts.contract.ts';
import { samplesContract } from '../../contract/samples.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const table = TableClient.fromConnectionString(connection.connectionString, 'mailledger', {
  allowInsecureConnection: true,
});

const emptied = async (partition: string): Promise<void> => {
  const filter = `PartitionKey eq '${partition}'`;
  for await (const { rowKey = '' } of table.listEntities({ queryOptions: { filter } }))
    await table.deleteEntity(partition, rowKey);
};

countsContract('the table', async () => {
  await emptied('relay-metrics');
  return openCountsTable(connection);
});
samplesContract('the table', async () => {
  await emptied('relay-samples');
  return openSamplesTable(connection);
});

/** After every write of these tests. */
const LATER = new Date(Date.now() + 3_600_000);

const counted = (accepted: number) => ({
  tally: { counts: { '["mailrelay.mail.accepted"]': accepted }, distributions: {} },
  mailboxes: [],
});
const accepted = async (): Promise<number | undefined> =>
  (await openCountsTable(connection).read()).tally.counts['["mailrelay.mail.accepted"]'];

test('a write whose answer was lost and that was repeated counts once, also when it was the first', async () => {
  await emptied('relay-metrics');
  const own = /TableEndpoint=([^;]+)/.exec(connection.connectionString)?.[1] ?? '';
  let writes = 0;
  const proxy = await startStorageProxy(own, {
    decide: () => {
      writes += 1;
      return writes === 1 || writes === 4 ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    answered: () => undefined,
    kill: () => undefined,
  });
  const counts = openCountsTable({
    kind: 'connection-string',
    connectionString: connection.connectionString.replace(own, proxy.url),
  });
  expect(await counts.write('a', counted(3), true)).toBe('written');
  expect(await counts.write('a', counted(5), false)).toBe('written');
  expect(await accepted()).toBe(5);
  expect(writes).toBeGreaterThan(4);
  await proxy.close();
});

test('a first write whose failure was told although it was carried out is written over by the next one', async () => {
  await emptied('relay-metrics');
  await openCountsTable(connection).write('a', counted(3), true);
  expect(await openCountsTable(connection).write('a', counted(4), true)).toBe('written');
  expect(await accepted()).toBe(4);
});

test('an instance that writes while it is folded is not folded, and counts once', async () => {
  await emptied('relay-metrics');
  const one = openCountsTable(connection);
  await one.write('a', counted(3), true);
  await Promise.all([one.fold(LATER), one.write('a', counted(8), false)]);
  const result = await one.write('a', counted(9), false);
  if (typeof result === 'object')
    await one.write('b', counted(9 - (result.folded.counts['["mailrelay.mail.accepted"]'] ?? 0)), true);
  expect(await accepted()).toBe(9);
});

test('thirty instances are folded, more than fit into one transaction', async () => {
  await emptied('relay-metrics');
  const counts = openCountsTable(connection);
  for (let number = 0; number < 30; number += 1) await counts.write(`i${number}`, counted(1), true);
  expect(await counts.fold(LATER)).toBe(30);
  expect(await accepted()).toBe(30);
});

test('a row that somebody has changed in the table keeps no other from counting', async () => {
  await emptied('relay-metrics');
  const counts = openCountsTable(connection);
  await counts.write('a', counted(3), true);
  await table.upsertEntity(
    { partitionKey: 'relay-metrics', rowKey: 'instance!b', isFolded: false, write: '', tally: '{"counts":' },
    'Replace',
  );
  expect(await accepted()).toBe(3);
  await table.upsertEntity(
    { partitionKey: 'relay-samples', rowKey: '8639999999999999', sample: '{"at":"today"}' },
    'Replace',
  );
  expect(await openSamplesTable(connection).lastDay(new Date(1))).toEqual([]);
  await table.deleteEntity('relay-samples', '8639999999999999');
});

test('storage that does not answer is STORAGE_UNAVAILABLE, for counts and samples', async () => {
  const away = awayStorage(connection);
  await expect(openCountsTable(away).read()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(openSamplesTable(away).newest()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('what is counted and sampled does not look like a row of the ledger', async () => {
  await openCountsTable(connection).write('z', counted(1), true);
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
});
