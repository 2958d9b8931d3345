import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { openBudgetTable } from '../../../src/lib/storage/budget-table.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { recipientBudgetsContract } from '../../contract/recipient-budgets.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();

recipientBudgetsContract('the table', () => openBudgetTable(connection));

test('a budget is no row of the ledger: no search, sweep or key takes it for one', async () => {
  const { connection: fresh } = await storageForTests();
  await openBudgetTable(fresh).write(
    'global/contoso.example',
    'tenant',
    { hours: { '493000': 1 } },
    undefined,
  );
  const ledger = openLedgerTable(fresh);
  const listed = [];
  for await (const mailId of ledger.listOpen('open', new Date(), 0, () => false)) listed.push(mailId);
  expect([listed, await ledger.expire(new Date(), 0, () => false)]).toEqual([[], 0]);
  expect((await openRelayKey(fresh).readRelayKey()).hasEarlierRows).toBe(false);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openBudgetTable(awayStorage(connection));
  await expect(away.read('global/contoso.example', 'tenant')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});

test('a table that is not there is a fault of the set-up, and not a tenant that has sent nothing', async () => {
  const { connection: broken } = await storageForTests();
  await TableClient.fromConnectionString(broken.connectionString, 'mailledger', {
    allowInsecureConnection: true,
  }).deleteTable();
  await expect(openBudgetTable(broken).read('global/contoso.example', 'tenant')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
