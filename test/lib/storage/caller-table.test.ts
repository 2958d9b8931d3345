import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/lib/callers/caller-audit.ts';
import { readCaller } from '../../../src/lib/callers/caller-definition.ts';
import { openCallerTable } from '../../../src/lib/storage/caller-table.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { LEDGER_TABLE } from '../../../src/lib/storage/storage-connection.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { callerStoreContract } from '../../contract/caller-store.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const table = TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
  allowInsecureConnection: true,
});
const PARTITION = 'relay-callers';

const keysInTable = async (): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { partitionKey = '', rowKey = '' } of table.listEntities())
    if (partitionKey.startsWith('relay-')) keys.push(`${partitionKey} ${rowKey}`);
  return keys;
};

const emptied = async () => {
  for (const key of await keysInTable()) await table.deleteEntity(PARTITION, key.slice(PARTITION.length + 1));
  return openCallerTable(connection);
};

callerStoreContract('a Storage table', emptied);

const NOW = '2026-03-02T08:00:00.000Z';
const caller = (name: string) => ({
  name,
  declaration: readCaller({ name, functionKeys: ['key:Zk3fT0a9Qe'] }).declaration!,
  isDisabled: false,
  keys: [],
  createdAt: NOW,
  updatedAt: NOW,
});
const entry = (at: string, name = 'payroll'): AuditEntry => ({
  at,
  with: 'master key',
  caller: name,
  action: 'added',
  changes: [],
});

test('callers are no emails: the ledger neither lists nor deletes them, and the relay has no rows of an earlier version', async () => {
  const store = await emptied();
  await store.write({ caller: caller('payroll') }, entry(NOW), '');
  const ledger = openLedgerTable(connection);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const listed = [];
  for await (const id of ledger.listOpen('open', tomorrow, 0, () => false)) listed.push(id);
  const filed = await ledger.fileEarlier(
    () => false,
    () => expect.unreachable(),
  );
  expect([listed, await ledger.expire(tomorrow, 0, () => false), filed]).toEqual([[], 0, 0]);
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
  expect((await store.read()).callers).toHaveLength(1);
});

test.each([
  ['no JSON', { json: '{' }],
  ['JSON of another caller', { json: JSON.stringify(caller('erp')) }],
  ['a rule of a later version', { json: JSON.stringify({ ...caller('payroll'), weekends: 'closed' }) }],
  ['nothing', { json: '' }],
])(
  'of a caller that has %s, the name and the function keys are still known, and all others are read',
  async (_what, columns) => {
    const store = await emptied();
    await store.write({ caller: caller('payroll') }, entry(NOW), '');
    await store.write({ caller: caller('erp') }, entry(NOW), (await store.readForChange()).version);
    await table.updateEntity({ partitionKey: PARTITION, rowKey: 'caller!payroll', ...columns }, 'Merge');
    expect(await store.read()).toEqual({
      callers: [caller('erp')],
      unreadable: [{ name: 'payroll', functionKeys: ['key:Zk3fT0a9Qe'] }],
    });
  },
);

test('an entry of the trail that somebody changed in the table is shown as that', async () => {
  const store = await emptied();
  await store.write({ caller: caller('payroll') }, entry(NOW), '');
  const rowKey = (await keysInTable()).find((key) => key.includes('audit!'))!.slice(PARTITION.length + 1);
  await table.updateEntity({ partitionKey: PARTITION, rowKey, json: '{' }, 'Merge');
  expect((await store.audit(undefined, undefined)).entries).toMatchObject([
    { caller: 'payroll', action: 'unreadable' },
  ]);
});

test('a change deletes entries of the trail that are older than 400 days, and no other', async () => {
  const store = await emptied();
  const times = ['2024-12-01T00:00:00.000Z', '2025-01-25T07:59:59.999Z', '2025-01-26T08:00:00.000Z', NOW];
  for (const at of times)
    await store.write({ caller: caller('payroll') }, entry(at), (await store.readForChange()).version);
  const { entries } = await store.audit(undefined, undefined);
  expect(entries.map(({ at }) => at)).toEqual([NOW, '2025-01-26T08:00:00.000Z']);
});

test('a change whose answer was lost is known as written, and is in the trail once', async () => {
  await emptied();
  const tables = /TableEndpoint=([^;]+)/.exec(connection.connectionString)?.[1] ?? '';
  let lose = false;
  const proxy = await startStorageProxy(tables, {
    decide: () => {
      const isLost = lose;
      lose = false;
      return isLost ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    kill: () => undefined,
  });
  const connectionString = connection.connectionString.replace(tables, proxy.url);
  const store = openCallerTable({ kind: 'connection-string', connectionString });
  const { version } = await store.readForChange();
  lose = true;
  expect(await store.write({ caller: caller('payroll') }, entry(NOW), version)).toBe(true);
  await proxy.close();
  expect(lose).toBe(false);
  expect((await openCallerTable(connection).audit(undefined, undefined)).entries).toHaveLength(1);
});

test('storage that cannot be reached, and a table that is not there, are STORAGE_UNAVAILABLE', async () => {
  const away = openCallerTable(awayStorage(connection));
  await expect(away.read()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await table.deleteTable();
  const store = openCallerTable(connection);
  await expect(store.read()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(store.readForChange()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(store.write({ caller: caller('payroll') }, entry(NOW), '')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
