import { expect, test } from 'vitest';
import { openHeartbeatTable } from '../../../src/lib/storage/heartbeat-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();

test('a heartbeat that was noted is read, the last one counts, and there is none at first', async () => {
  const { note, read } = openHeartbeatTable(connection);
  expect(await read('sweep')).toBeUndefined();
  await note('sweep', new Date('2026-03-02T08:17:00Z'));
  await note('sweep', new Date('2026-03-02T09:17:00Z'));
  expect(await read('sweep')).toEqual(new Date('2026-03-02T09:17:00Z'));
});

test('a heartbeat does not look like a row of an earlier version of the ledger', async () => {
  await openHeartbeatTable(connection).note('sweep', new Date('2026-03-02T08:17:00Z'));
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
});

test('storage that fails is told as that', async () => {
  const { note, read } = openHeartbeatTable(awayStorage(connection));
  await expect(read('sweep')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await expect(note('sweep', new Date())).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
