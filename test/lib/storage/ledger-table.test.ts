import { TableClient, type TransactionAction } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { prefixesOf } from '../../../src/lib/ledger/search-index.ts';
import { claim, holdNew, queueNew, recordSent, replay } from '../../../src/lib/ledger/transitions.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openMailIndexTable } from '../../../src/lib/storage/mail-index-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { LEDGER_TABLE } from '../../../src/lib/storage/storage-connection.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { ledgerContract } from '../../contract/ledger.contract.ts';
import { mailIndexContract } from '../../contract/mail-index.contract.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();

ledgerContract('the ledger in a Storage table', () => openLedgerTable(connection));
mailIndexContract('the ledger in a Storage table', () => ({
  ledger: openLedgerTable(connection),
  mailIndex: openMailIndexTable(connection),
}));

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc9f';
const NOW = new Date('2026-03-02T08:00:00Z');
const row = queueNew(aNewMail(NOW, { mailId: MAIL_ID }), NOW);

const tableOf = ({ connectionString }: { readonly connectionString: string }) =>
  TableClient.fromConnectionString(connectionString, LEDGER_TABLE, { allowInsecureConnection: true });

const unexpected = (mailId: string) => {
  throw new Error(`${mailId} could not be filed`);
};

const allKeysIn = async (table: TableClient): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { partitionKey, rowKey } of table.listEntities()) keys.push(`${partitionKey} ${rowKey}`);
  return keys;
};
/** Without those by which emails are searched. */
const keysIn = async (table: TableClient): Promise<readonly string[]> =>
  (await allKeysIn(table)).filter((key) => !key.includes(' by.'));

test('a row is in one of 256 partitions, by the random end of its id, beside one entity that files it', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  const created = await ledger.create(row);
  expect(await table.getEntity('9f', MAIL_ID)).toMatchObject({ rowKey: MAIL_ID, state: 'queued' });
  expect(await keysIn(table)).toEqual([`9f ${MAIL_ID}`, `9f open!${NOW.toISOString()}!${MAIL_ID}`]);

  const sending = await ledger.replace(claim(row, NOW), created!.etag);
  const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
  await ledger.replace(recordSent(claim(row, NOW), attempt, NOW), sending!.etag);
  expect(await keysIn(table)).toEqual([`9f ${MAIL_ID}`, `9f final!2026-03-02!${MAIL_ID}`]);

  await ledger.expire(new Date(NOW.getTime() + 86_400_000), 0, () => false);
  expect(await allKeysIn(table)).toEqual([]);
});

test('beside a row stand the entities by which it is searched, those of now and no others', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  const searchKeys = async () => (await allKeysIn(table)).filter((key) => key.includes(' by.'));
  const expected = (of: typeof row | ReturnType<typeof claim>) =>
    prefixesOf(of)
      .map((prefix) => `9f by.${prefix}!8227561599999!${MAIL_ID}`)
      .sort();
  const created = await ledger.create(row);
  expect(await searchKeys()).toEqual(expected(row));
  await ledger.replace(claim(row, NOW), created!.etag);
  expect(await searchKeys()).toEqual(expected(claim(row, NOW)));
});

test('rows of a version without searches are found by them once the sweep has filed them, and until then searches say so', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, mailIndex, table] = [openLedgerTable(own), openMailIndexTable(own), tableOf(own)];
  await ledger.create(row);
  await openRelayKey(own).readRelayKey();
  for (const key of (await allKeysIn(table)).filter((one) => one.includes(' by.')))
    await table.deleteEntity('9f', key.slice(3));
  const { search: _, etag: _etag, timestamp: _time, ...stored } = await table.getEntity('9f', MAIL_ID);
  await table.updateEntity(stored as { partitionKey: string; rowKey: string }, 'Replace');
  expect(await mailIndex.list({ by: 'any' }, {}, 10)).toEqual([]);
  expect(await mailIndex.isFiling()).toBe(true);
  expect(await ledger.fileEarlier(() => false, unexpected)).toBe(1);
  expect(await mailIndex.list({ by: 'any' }, {}, 10)).toEqual([{ acceptedAt: NOW, mailId: MAIL_ID }]);
  // An instance of that version, which the platform has not ended yet, writes it once more.
  await table.updateEntity(stored as { partitionKey: string; rowKey: string }, 'Replace');
  expect(await mailIndex.isFiling()).toBe(true);
  expect(await ledger.fileEarlier(() => false, unexpected)).toBe(1);
  expect(await mailIndex.isFiling()).toBe(true);
  expect(await ledger.fileEarlier(() => false, unexpected)).toBe(0);
  expect(await mailIndex.isFiling()).toBe(false);
});

test('a search of a new ledger misses nothing', async () => {
  const { connection: own } = await storageForTests();
  expect(await openMailIndexTable(own).isFiling()).toBe(false);
  await openRelayKey(own).readRelayKey();
  await openLedgerTable(own).create(row);
  expect(await openMailIndexTable(own).isFiling()).toBe(false);
});

test('a mail whose filing somebody deleted goes on all the same', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  const { etag } = (await ledger.create(row))!;
  for (const key of await allKeysIn(table))
    if (key.includes('!')) await table.deleteEntity('9f', key.slice(3));
  const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
  expect(await ledger.replace(recordSent(claim(row, NOW), attempt, NOW), etag)).toBeDefined();
  expect(await keysIn(table)).toEqual([`9f ${MAIL_ID}`, `9f final!2026-03-02!${MAIL_ID}`]);
});

test('more mails than a transaction holds expire, and one that is replayed at that moment stays', async () => {
  const { connection: own } = await storageForTests();
  const ledger = openLedgerTable(own);
  const idOf = (number: number) => `01a20556-8aab-77d5-aa30-${number.toString(16).padStart(10, '0')}9f`;
  const holding = { why: 'refused', reason: { code: 'GIVEN_UP' }, record: 'r', hasContent: true } as const;
  const rows = Array.from({ length: 120 }, (_, number) =>
    holdNew({ ...row.facts, mailId: idOf(number) }, holding, NOW),
  );
  for (const held of rows) await ledger.create(held);
  const [kept] = rows;
  const found = await ledger.find(kept!.facts.mailId);
  const [expired] = await Promise.all([
    ledger.expire(new Date(NOW.getTime() + 86_400_000), 0, () => false),
    ledger.replace(replay(kept!, 'hash', NOW), found!.etag),
  ]);
  const left = await ledger.find(kept!.facts.mailId);
  // Whichever came first, it is wholly there or wholly gone.
  expect(expired).toBe(left === undefined ? 120 : 119);
  expect(await keysIn(tableOf(own))).toHaveLength(left === undefined ? 0 : 2);
});

test('a write whose answer was lost is known as our own when the SDK repeats it', async () => {
  const { connection: own } = await storageForTests();
  const table = /TableEndpoint=([^;]+)/.exec(own.connectionString)?.[1] ?? '';
  let lose = false;
  const proxy = await startStorageProxy(table, {
    decide: ({ operation }) => {
      const isLost = lose && operation !== 'other';
      if (isLost) lose = false;
      return isLost ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    kill: () => undefined,
  });
  const connectionString = own.connectionString.replace(table, proxy.url);
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
  lose = true;
  const created = await ledger.create(row);
  expect(created).toEqual(await ledger.find(MAIL_ID));
  lose = true;
  const sending = await ledger.replace(claim(row, NOW), created!.etag);
  expect(sending).toEqual(await ledger.find(MAIL_ID));
  lose = true;
  const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
  const sent = await ledger.replace(recordSent(claim(row, NOW), attempt, NOW), sending!.etag);
  expect(sent).toEqual(await ledger.find(MAIL_ID));
  // The same row from another write is somebody else's.
  expect(await ledger.create(row)).toBeUndefined();
  await proxy.close();
});

test('a leftover that files a living mail among the ended does not let it expire', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  await ledger.create(row);
  await table.createEntity({ partitionKey: '9f', rowKey: `final!2020-01-01!${MAIL_ID}` });
  expect(await ledger.expire(NOW, 0, () => false)).toBe(0);
  expect(await keysIn(table)).toEqual([`9f ${MAIL_ID}`, `9f open!${NOW.toISOString()}!${MAIL_ID}`]);
});

test('a row of an earlier version that cannot be read is passed, and the others are filed', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  const bad = '01a20556-8aab-77d5-aa30-000000000000';
  await table.createEntity({ partitionKey: '00', rowKey: bad, row: '{bad' });
  await table.createEntity({ partitionKey: '9f', rowKey: MAIL_ID, row: JSON.stringify(row) });
  const failed: string[] = [];
  expect(
    await ledger.fileEarlier(
      () => false,
      (mailId) => failed.push(mailId),
    ),
  ).toBe(1);
  expect(failed).toEqual([bad]);
});

test('rows of an earlier version are found, and filed by the sweep, a page at a time where it has to stop', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  // All fields side by side, by the names they had then.
  const { omittedAttempts: _, ...progress } = row.progress;
  const rest = { ...row.facts, ...progress };
  const reason = { code: 'GRAPH_THROTTLED', title: '', remedy: '' };
  for (let number = 0; number < 1500; number += 100)
    await table.submitTransaction(
      Array.from({ length: 100 }, (__, more): TransactionAction => {
        const mailId = `01a20556-8aab-77d5-aa30-${(number + more).toString(16).padStart(10, '0')}00`;
        const earlier = {
          ...rest,
          mailId,
          state: 'waiting',
          forgottenAttempts: 3,
          reason,
          until: NOW.toISOString(),
        };
        const json = JSON.stringify(earlier);
        return [
          'create',
          { partitionKey: '00', rowKey: mailId, state: 'waiting', changedAt: NOW, row: json },
        ];
      }),
    );
  const mailId = '01a20556-8aab-77d5-aa30-000000000000';
  expect((await ledger.find(mailId))?.row).toMatchObject({
    progress: { omittedAttempts: 3 },
    fate: { state: 'deferred', reason: { code: 'GRAPH_THROTTLED' } },
  });
  // The service gives a thousand entities in a page.
  expect(await ledger.fileEarlier(() => true, unexpected)).toBe(1000);
  expect(await ledger.fileEarlier(() => false, unexpected)).toBe(500);
  expect(await ledger.fileEarlier(() => false, unexpected)).toBe(0);
  let listed = 0;
  for await (const _mailId of ledger.listOpen('open', new Date(NOW.getTime() + 1), 7, () => false))
    listed += 1;
  expect(listed).toBe(1500);
  expect(await table.getEntity('00', mailId)).toMatchObject({ state: 'deferred' });
});

test('a row of the first layout is found, goes on, and is written in the present layout from then on', async () => {
  const { connection: own } = await storageForTests();
  const [ledger, table] = [openLedgerTable(own), tableOf(own)];
  const flat = { ...row.facts, ...row.progress, state: 'queued' };
  await table.createEntity({
    partitionKey: '9f',
    rowKey: MAIL_ID,
    state: 'queued',
    row: JSON.stringify(flat),
  });
  const found = await ledger.find(MAIL_ID);
  expect(found?.row).toEqual(row);
  const sending = claim(row, NOW);
  await ledger.replace(sending, found!.etag);
  const stored = await table.getEntity<{ row: string }>('9f', MAIL_ID);
  expect(JSON.parse(stored.row)).toEqual(sending);
});

test('a table that is not there is a failure, not an empty ledger', async () => {
  const bare = await storageForTests();
  const table = TableClient.fromConnectionString(bare.connection.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  await table.deleteTable();
  const ledger = openLedgerTable(bare.connection);
  for (const call of [ledger.find(MAIL_ID), ledger.create(row), ledger.replace(row, '"1"')])
    await expect(call).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE for every kind of call', async () => {
  const ledger = openLedgerTable(awayStorage(connection));
  const list = async () => {
    for await (const _entry of ledger.listOpen('open', NOW, 0, () => false));
  };
  const calls = [
    ledger.find(MAIL_ID),
    ledger.create(row),
    ledger.replace(row, '"1"'),
    ledger.expire(NOW, 0, () => false),
  ];
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })));
  await expect(list()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
