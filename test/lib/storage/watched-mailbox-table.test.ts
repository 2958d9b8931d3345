import { expect, test } from 'vitest';
import { newPollState } from '../../../src/lib/bounces/watched-mailbox.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openWatchedMailboxTable } from '../../../src/lib/storage/watched-mailbox-table.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const table = openWatchedMailboxTable(connection);
const MAILBOX = { address: "o'neill/#1@contoso.example", lastSentAt: '2026-03-02T08:00:00.000Z' };
const STATE = newPollState(MAILBOX);

test('a mailbox is watched once, with the last hour in which it sent, and of two polls one is written', async () => {
  await table.note(MAILBOX);
  await table.note({
    ...MAILBOX,
    address: MAILBOX.address.toUpperCase(),
    lastSentAt: '2026-03-02T09:00:00.000Z',
  });
  const [entry, ...more] = await table.list();
  expect([entry?.mailbox.lastSentAt, entry?.state, more]).toEqual([
    '2026-03-02T09:00:00.000Z',
    undefined,
    [],
  ]);

  const first = await table.write(MAILBOX, STATE, undefined);
  expect(first).toBeDefined();
  expect(await table.write(MAILBOX, STATE, undefined)).toBeUndefined();
  const read = { ...STATE, readUpTo: '2026-03-02T09:30:00.000Z' };
  expect(await table.write(MAILBOX, read, first)).toBeDefined();
  expect(await table.write(MAILBOX, STATE, first)).toBeUndefined();

  // Whoever sends does not keep whoever polls from writing.
  await table.note({ ...MAILBOX, lastSentAt: '2026-03-02T10:00:00.000Z' });
  expect(await table.list()).toEqual([
    {
      mailbox: { ...MAILBOX, lastSentAt: '2026-03-02T10:00:00.000Z' },
      state: read,
      etag: expect.any(String),
    },
  ]);
  // Nor does it look like a row of an earlier version of the ledger.
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);

  await table.forget(MAILBOX);
  await table.forget(MAILBOX);
  expect(await table.list()).toEqual([]);
});

test('storage that fails is told as that', async () => {
  const away = openWatchedMailboxTable(awayStorage(connection));
  await expect(away.list()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(away.note(MAILBOX)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
