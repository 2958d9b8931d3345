import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { queueNew } from '../../../src/lib/ledger/ledger-row.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { LEDGER_TABLE } from '../../../src/lib/storage/storage-connection.ts';
import { explainingFailures } from '../../../src/lib/storage/storage-failure.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();

ledgerContract('the ledger in a Storage table', () => openLedgerTable(connection));

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc9f';
const NOW = new Date('2026-03-02T08:00:00Z');
const row = queueNew(
  {
    mailId: MAIL_ID,
    caller: 'key:test',
    sender: 'noreply@contoso.example',
    recipients: 1,
    tags: [],
    bodyHash: 'hash',
    leavesCopy: true,
    acceptedAt: NOW.toISOString(),
  },
  NOW,
);

test('a row stands in one of 256 partitions, by the random end of its id, with its state to be asked for', async () => {
  await openLedgerTable(connection).create(row);
  const table = TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  const entity = await table.getEntity('9f', MAIL_ID);
  expect(entity).toMatchObject({ rowKey: MAIL_ID, state: 'queued', changedAt: NOW });
});

test('a row that was written when its state had another name is found, listed and rewritten as of today', async () => {
  const table = TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  const mailId = '01a20556-8aab-77d5-aa30-5d8c2af8cc00';
  const { omittedAttempts: _, ...rest } = { ...row, mailId };
  const reason = { code: 'GRAPH_THROTTLED', title: '', remedy: '' };
  const earlier = { ...rest, state: 'waiting', forgottenAttempts: 3, reason, until: NOW.toISOString() };
  await table.createEntity({
    partitionKey: '00',
    rowKey: mailId,
    state: 'waiting',
    changedAt: NOW,
    row: JSON.stringify(earlier),
  });
  const ledger = openLedgerTable(connection);
  const found = await ledger.find(mailId);
  expect(found?.row).toMatchObject({ state: 'deferred', omittedAttempts: 3 });
  const listed = [];
  for await (const entry of ledger.list({ states: ['deferred'], before: new Date(NOW.getTime() + 1) }))
    listed.push(entry.row.mailId);
  expect(listed).toEqual([mailId]);
  await ledger.replace(found!.row, found!.etag);
  expect(await table.getEntity('00', mailId)).toMatchObject({ state: 'deferred' });
});

test('a table that is not there is a failure, not an empty ledger', async () => {
  const bare = await storageForTests();
  const table = TableClient.fromConnectionString(bare.connection.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  await table.deleteTable();
  const ledger = explainingFailures(openLedgerTable(bare.connection));
  for (const call of [ledger.find(MAIL_ID), ledger.create(row), ledger.replace(row, '"1"')])
    await expect(call).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE for every kind of call', async () => {
  const ledger = explainingFailures(openLedgerTable(awayStorage(connection)));
  const list = async () => {
    for await (const _entry of ledger.list({ states: ['queued'], before: NOW }));
  };
  const calls = [ledger.find(MAIL_ID), ledger.create(row), ledger.replace(row, '"1"'), ledger.expire(NOW)];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })));
  await expect(list()).rejects.toThrow();
});
