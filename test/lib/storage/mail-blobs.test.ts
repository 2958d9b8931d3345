import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import type { SetAsideRecord } from '../../../src/lib/set-aside.ts';
import { openMailBlobs } from '../../../src/lib/storage/mail-blobs.ts';
import { PAYLOAD_CONTAINER } from '../../../src/lib/storage/storage-connection.ts';
import { explainingFailures } from '../../../src/lib/storage/storage-failure.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const blobs = openMailBlobs(connection);

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc90';
const json = JSON.stringify({ text: '薪資單 \u{1f4c4}', big: 'x'.repeat(100_000) });

const payloadsBefore = async (before: Date) => {
  const found: { readonly name: string; readonly mailId: string }[] = [];
  for await (const one of blobs.listPayloads(before)) found.push(one);
  return found;
};

const record = (day: string, mailId: string): SetAsideRecord => ({
  mailId,
  setAsideAt: `${day}T08:00:00.000Z`,
  reason: { code: 'GIVEN_UP', title: 'title', remedy: 'remedy' },
  original: { subject: '薪資單' },
});

test('a payload is read as it was written, is named after its mail, and is gone once deleted', async () => {
  const name = await blobs.putPayload(MAIL_ID, json);
  expect(name).toBe(`${MAIL_ID}.json`);
  expect(await blobs.readPayload(name)).toBe(json);
  const blob = BlobServiceClient.fromConnectionString(connection.connectionString)
    .getContainerClient(PAYLOAD_CONTAINER)
    .getBlobClient(name);
  expect((await blob.getProperties()).contentType).toBe('application/json; charset=utf-8');
  await blobs.deletePayload(name);
  expect(await blobs.readPayload(name)).toBeUndefined();
});

test('writing a payload again, as after a crash, replaces it; deleting it again does no harm', async () => {
  await blobs.putPayload(MAIL_ID, '{"first":1}');
  const name = await blobs.putPayload(MAIL_ID, '{"second":2}');
  expect(await blobs.readPayload(name)).toBe('{"second":2}');
  await blobs.deletePayload(name);
  await blobs.deletePayload(name);
});

test('payloads are listed by age with the id of their mail', async () => {
  const name = await blobs.putPayload(MAIL_ID, json);
  expect(await payloadsBefore(new Date(Date.now() + 60_000))).toEqual([{ name, mailId: MAIL_ID }]);
  expect(await payloadsBefore(new Date(Date.now() - 60_000))).toEqual([]);
  await blobs.deletePayload(name);
});

test('records are listed oldest first, a page at a time, and read as they were stored', async () => {
  const days = ['2026-03-03', '2026-03-01', '2026-03-02'];
  const records = days.map((day, n) => record(day, `${MAIL_ID.slice(0, -1)}${n}`));
  const names = await Promise.all(records.map((one) => blobs.storeSetAside(one)));
  expect(names[1]).toBe(`2026-03-01/${records[1]?.mailId}.json`);

  const first = await blobs.listRecords(2, undefined);
  expect(first.records.map(({ mailId }) => mailId)).toEqual([records[1]?.mailId, records[2]?.mailId]);
  const second = await blobs.listRecords(2, first.next);
  expect(second).toEqual({
    records: [{ name: names[0], mailId: records[0]?.mailId, writtenAt: expect.any(Date) }],
  });
  expect(await blobs.readRecord(names[0]!)).toEqual(records[0]);

  for (const name of names) await blobs.deleteRecord(name);
  expect(await blobs.readRecord(names[0]!)).toBeUndefined();
  expect(await blobs.listRecords(2, undefined)).toEqual({ records: [] });
});

test('a mail set aside twice on a day has one record, the later', async () => {
  await blobs.storeSetAside(record('2026-03-04', MAIL_ID));
  const name = await blobs.storeSetAside({ ...record('2026-03-04', MAIL_ID), original: 'later' });
  expect((await blobs.listRecords(50, undefined)).records).toHaveLength(1);
  expect((await blobs.readRecord(name))?.original).toBe('later');
  await blobs.deleteRecord(name);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE, not a payload that is missing', async () => {
  const away = explainingFailures(openMailBlobs(awayStorage(connection)));
  await expect(away.readPayload(`${MAIL_ID}.json`)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
