import { expect, test } from 'vitest';
import { queueNew } from '../../../src/lib/ledger/transitions.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const NOW = new Date('2026-03-02T08:00:00Z');

test('of several instances that start at once one makes the key, and all have the same', async () => {
  const keys = await Promise.all([1, 2, 3, 4].map(() => openRelayKey(connection).readRelayKey()));
  const again = await openRelayKey(connection).readRelayKey();
  expect(again.key).toHaveLength(32);
  expect(new Set(keys.map(({ key }) => Buffer.from(key).toString('hex')))).toEqual(
    new Set([Buffer.from(again.key).toString('hex')]),
  );
  expect(again.hasEarlierRows).toBe(false);
});

test('the key is no mail: it is not listed, and does not expire', async () => {
  const { key } = await openRelayKey(connection).readRelayKey();
  const ledger = openLedgerTable(connection);
  const listed = [];
  const tomorrow = new Date(Date.now() + 86_400_000);
  for await (const entry of ledger.listOpen('open', tomorrow, 0, () => false)) listed.push(entry);
  expect([listed, await ledger.expire(tomorrow, 0, () => false)]).toEqual([[], 0]);
  expect(
    await ledger.fileEarlier(
      () => false,
      () => undefined,
    ),
  ).toBe(0);
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
  expect((await openRelayKey(connection).readRelayKey()).key).toEqual(key);
});

test('a ledger that has rows when its key is made is known to have earlier ones, for good', async () => {
  const { connection: older } = await storageForTests();
  await openLedgerTable(older).create(queueNew(aNewMail(NOW), NOW));
  expect((await openRelayKey(older).readRelayKey()).hasEarlierRows).toBe(true);
  expect((await openRelayKey(older).readRelayKey()).hasEarlierRows).toBe(true);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE, and no new key', async () => {
  const away = openRelayKey(awayStorage(connection));
  await expect(away.readRelayKey()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
