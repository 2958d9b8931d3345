import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { EMPTY_LANE, type Lane } from '../../../src/lib/sending/mailbox-lane.ts';
import { openLaneTable } from '../../../src/lib/storage/lane-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { type Passage, startStorageProxy } from '../../chaos/storage-proxy.ts';
import { mailboxLanesContract } from '../../contract/mailbox-lanes.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const MAILBOX = 'payroll@contoso.com';
const LANE: Lane = { ...EMPTY_LANE, booked: [[Date.parse('2026-03-02T08:00:00Z'), 2480, 5]] };

mailboxLanesContract('the table', () => openLaneTable(connection));

/** The storage of the tests, behind a proxy that says what becomes of each request. */
const behind = async (decide: (request: number) => Passage) => {
  const { connection: own } = await storageForTests();
  const table = /TableEndpoint=([^;]+)/.exec(own.connectionString)?.[1] ?? '';
  let requests = 0;
  const proxy = await startStorageProxy(table, {
    decide: () => {
      requests += 1;
      return decide(requests);
    },
    carriedOut: () => undefined,
    kill: () => undefined,
  });
  const connectionString = own.connectionString.replace(table, proxy.url);
  return { lanes: openLaneTable({ kind: 'connection-string', connectionString }), close: proxy.close };
};

const tableOf = (connectionString: string) =>
  TableClient.fromConnectionString(connectionString, 'mailledger', { allowInsecureConnection: true });
const rowOf = (mailbox: string) => ({
  partitionKey: 'relay-lanes',
  rowKey: createHash('sha256').update(mailbox).digest('base64url').slice(0, 22),
});

test('a write whose answer is lost is known as the own one when it is repeated', async () => {
  const { lanes, close } = await behind((request) => (request === 1 ? { after: 'cut' } : {}));
  const { isOwn, entry } = await lanes.write(MAILBOX, LANE, undefined);
  expect([isOwn, entry.lane]).toEqual([true, LANE]);
  const lost = await behind((request) => (request === 2 ? { after: 'cut' } : {}));
  const first = await lost.lanes.write(MAILBOX, EMPTY_LANE, undefined);
  expect(await lost.lanes.write(MAILBOX, LANE, first.entry.etag)).toMatchObject({
    isOwn: true,
    entry: { lane: LANE },
  });
  await Promise.all([close(), lost.close()]);
});

test('storage that hangs is STORAGE_UNAVAILABLE long before an invocation would be over', async () => {
  const { connection: own } = await storageForTests();
  const silent = http.createServer(() => undefined);
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const { port } = silent.address() as AddressInfo;
  const connectionString = own.connectionString.replace(
    /TableEndpoint=[^;]+/,
    `TableEndpoint=http://127.0.0.1:${port}/silent`,
  );
  const lanes = openLaneTable({ kind: 'connection-string', connectionString });
  const failed = await Promise.allSettled([lanes.read(MAILBOX), lanes.write(MAILBOX, LANE, undefined)]);
  for (const one of failed)
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_UNAVAILABLE' } });
  silent.closeAllConnections();
  silent.close();
});

test('storage that is busy again and again is STORAGE_UNAVAILABLE', async () => {
  const { lanes, close } = await behind(() => ({ before: 'busy' }));
  await expect(lanes.read(MAILBOX)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await close();
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openLaneTable(awayStorage(connection));
  await expect(away.read(MAILBOX)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(away.write(MAILBOX, LANE, undefined)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('a table that is not there is a fault of the set-up, and not a mailbox without starts', async () => {
  const { connection: broken } = await storageForTests();
  await tableOf(broken.connectionString).deleteTable();
  await expect(openLaneTable(broken).read(MAILBOX)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('a lane that is damaged, or of another version, is read as far as it can be, and written over', async () => {
  const { connection: own } = await storageForTests();
  const lanes = openLaneTable(own);
  for (const json of ['{"booked":[[1,', '7', JSON.stringify({ ...EMPTY_LANE, booked: 'none', taken: [2] })]) {
    await tableOf(own.connectionString).upsertEntity({ ...rowOf(MAILBOX), json }, 'Replace');
    const { lane, etag } = await lanes.read(MAILBOX);
    expect(lane).toEqual(json.includes('none') ? { ...EMPTY_LANE, taken: [2] } : EMPTY_LANE);
    expect(await lanes.write(MAILBOX, LANE, etag)).toMatchObject({ isOwn: true });
    expect((await lanes.read(MAILBOX)).lane).toEqual(LANE);
  }
});

test('storage says its time with every answer: to a millisecond when it has written', async () => {
  const { connection: own } = await storageForTests();
  const lanes = openLaneTable(own);
  const before = Date.now();
  const written = await lanes.write(MAILBOX, LANE, undefined);
  const read = await lanes.read(MAILBOX);
  const after = Date.now();
  for (const { server } of [written, read]) {
    const { at, precisionMs } = server ?? { at: new Date(Number.NaN), precisionMs: 0 };
    expect(at.getTime() + precisionMs).toBeGreaterThanOrEqual(before);
    expect(at.getTime()).toBeLessThanOrEqual(after);
  }
  expect([written.server?.precisionMs, read.server?.precisionMs]).toEqual([1, 1000]);
});

test('lanes are no emails: the key of the ledger is made as if there were none', async () => {
  const { connection: fresh } = await storageForTests();
  await openLaneTable(fresh).write(MAILBOX, LANE, undefined);
  expect((await openRelayKey(fresh).readRelayKey()).hasEarlierRows).toBe(false);
});
