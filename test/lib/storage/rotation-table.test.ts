import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openRotationTable } from '../../../src/lib/storage/rotation-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { rotationsContract } from '../../contract/rotations.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const STATE = { clientId: 'an application', abandoned: [], made: [], reported: [] };

rotationsContract('the table', () => openRotationTable(connection));

test('a write whose answer is lost is known as the own one when it is repeated', async () => {
  const { connection: own } = await storageForTests();
  const table = /TableEndpoint=([^;]+)/.exec(own.connectionString)?.[1] ?? '';
  let requests = 0;
  const proxy = await startStorageProxy(table, {
    decide: () => {
      requests += 1;
      return requests === 1 ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    answered: () => undefined,
    kill: () => undefined,
  });
  const connectionString = own.connectionString.replace(table, proxy.url);
  const rotations = openRotationTable({ kind: 'connection-string', connectionString });
  const etag = await rotations.write('main', STATE, undefined);
  expect(requests).toBeGreaterThan(1);
  expect(await rotations.read('main')).toEqual({ state: STATE, etag });
  await proxy.close();
});

test('states of rotation are no emails: the ledger does not list them, and its key is made as if there were none', async () => {
  const { connection: fresh } = await storageForTests();
  await openRotationTable(fresh).write('main', STATE, undefined);
  const ledger = openLedgerTable(fresh);
  const listed = [];
  for await (const mailId of ledger.listOpen('open', new Date(), 0, () => false)) listed.push(mailId);
  const filed = await ledger.fileEarlier(
    () => false,
    () => undefined,
  );
  expect([listed, filed, await ledger.expire(new Date(), 0, () => false)]).toEqual([[], 0, 0]);
  expect((await openRelayKey(fresh).readRelayKey()).hasEarlierRows).toBe(false);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openRotationTable(awayStorage(connection));
  await expect(away.read('main')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('a table that is not there is a fault of the set-up, and not a relay that has made nothing', async () => {
  const { connection: broken } = await storageForTests();
  await TableClient.fromConnectionString(broken.connectionString, 'mailledger', {
    allowInsecureConnection: true,
  }).deleteTable();
  await expect(openRotationTable(broken).read('main')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
