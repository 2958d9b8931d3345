import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openWarningTable } from '../../../src/lib/storage/warning-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { warningStateContract } from '../../contract/warning-state.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const table = TableClient.fromConnectionString(connection.connectionString, 'mailledger', {
  allowInsecureConnection: true,
});

const CLAIM = { id: 'one', startedAt: new Date('2027-05-01T07:00:00Z'), state: 'running' } as const;
const TOLD = {
  key: 'expiry!secret!a!1',
  mark: '2027-05-31T00:00:00.000Z',
  toldOn: new Date('2027-05-01T07:00:00Z'),
  daysLeft: 30,
  reached: ['log'],
  mails: [],
} as const;

const empty = async () => {
  for await (const { partitionKey = '', rowKey = '' } of table.listEntities())
    await table.deleteEntity(partitionKey, rowKey);
  return openWarningTable(connection);
};

warningStateContract('the table', empty);

test('a claim whose answer was lost is known as the own one when it is repeated', async () => {
  await empty();
  const endpoint = /TableEndpoint=([^;]+)/.exec(connection.connectionString)?.[1] ?? '';
  let requests = 0;
  const proxy = await startStorageProxy(endpoint, {
    decide: () => {
      requests += 1;
      return requests === 1 ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    answered: () => undefined,
    kill: () => undefined,
  });
  const connectionString = connection.connectionString.replace(endpoint, proxy.url);
  const lossy = openWarningTable({ kind: 'connection-string', connectionString });
  expect(await lossy.writeClaim(CLAIM, undefined)).toMatchObject({ isOwn: true, entry: { claim: CLAIM } });
  await proxy.close();
});

test('what it keeps is no email: the ledger does not list it, and its key is made as if there were none', async () => {
  const state = await empty();
  await state.write(TOLD);
  await state.writeClaim(CLAIM, undefined);
  const ledger = openLedgerTable(connection);
  const listed = [];
  for await (const mailId of ledger.listOpen('open', new Date(), 0, () => false)) listed.push(mailId);
  expect([listed, await ledger.expire(new Date(), 0, () => false)]).toEqual([[], 0]);
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
});

test('what anyone has changed in the table counts as not told, and hides nothing else', async () => {
  const state = await empty();
  await state.write(TOLD);
  await state.write({ ...TOLD, key: 'expiry!secret!b!1' });
  await table.updateEntity({ partitionKey: 'relay-warnings', rowKey: `told!${TOLD.key}`, json: 'canary' });
  expect(await state.list()).toEqual([{ ...TOLD, key: 'expiry!secret!b!1' }]);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openWarningTable(awayStorage(connection));
  await expect(away.list()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
