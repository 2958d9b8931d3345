import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import type { HeldRecord } from '../../../src/lib/ledger/held-record.ts';
import { holdsLong, readJson } from '../../../src/lib/mail/json-bytes.ts';
import { openMailBlobs } from '../../../src/lib/storage/mail-blobs.ts';
import { PAYLOAD_CONTAINER } from '../../../src/lib/storage/storage-connection.ts';
import { textOf } from '../../support/json-chunks.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const blobs = openMailBlobs(connection);

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc90';
const json = JSON.stringify({ text: '薪資單 \u{1f4c4}', big: 'x'.repeat(100_000) });

const HASH = 'k1.hash';

/** In two pieces, as an email with one long file is. */
const put = (hash: string, text: string) => {
  const bytes = Buffer.from(text);
  return blobs.payloads.put(MAIL_ID, hash, [bytes.subarray(0, 5), bytes.subarray(5)]);
};
const read = async (hash: string) => textOf(await blobs.payloads.read(MAIL_ID, hash));

const payloadsBefore = async (before: Date) => {
  const found: { readonly mailId: string; readonly contentHash: string }[] = [];
  for await (const { mailId, contentHash, writtenAt } of blobs.payloads.list(before)) {
    expect(writtenAt.getTime()).toBeLessThan(before.getTime());
    found.push({ mailId, contentHash });
  }
  return found;
};

const record = (day: string, mailId: string): HeldRecord => ({
  mailId,
  heldAt: `${day}T08:00:00.000Z`,
  reason: { code: 'GIVEN_UP', title: 'title', remedy: 'remedy' },
  original: { subject: '薪資單' },
});

test('a payload is read as it was written, is found by id and hash alone, and is gone once deleted', async () => {
  await put(HASH, json);
  expect(await read(HASH)).toBe(json);
  expect(await blobs.payloads.sizeOf(MAIL_ID, HASH)).toBe(Buffer.byteLength(json));
  const blob = BlobServiceClient.fromConnectionString(connection.connectionString)
    .getContainerClient(PAYLOAD_CONTAINER)
    .getBlobClient(`${MAIL_ID}/${HASH}.json`);
  expect((await blob.getProperties()).contentType).toBe('application/json; charset=utf-8');
  await blobs.payloads.delete(MAIL_ID, HASH);
  expect(await read(HASH)).toBeUndefined();
  expect(await blobs.payloads.sizeOf(MAIL_ID, HASH)).toBeUndefined();
});

test('a held email with long base64 is stored and read as the bytes that were received', async () => {
  const content = 'JVBERi0x'.repeat(20_000);
  const original = await readJson([Buffer.from(JSON.stringify({ attachments: [{ content }] }))]);
  const name = await blobs.records.store({ ...record('2026-03-05', MAIL_ID), original });
  const found = (await blobs.records.read(name))?.original;
  expect(holdsLong(found)).toBe(true);
  expect(JSON.stringify(found)).toBe(JSON.stringify({ attachments: [{ content }] }));
  await blobs.records.delete(name);
});

test('two contents of one mail id do not overwrite each other', async () => {
  await put(HASH, '{"first":1}');
  await put('k1.other', '{"second":2}');
  expect(await read(HASH)).toBe('{"first":1}');
  for (const hash of [HASH, 'k1.other']) await blobs.payloads.delete(MAIL_ID, hash);
});

test('content that an earlier version stored, under the id alone, is found by its hash of that time', async () => {
  await put('an-earlier-hash', json);
  expect(await payloadsBefore(new Date(Date.now() + 60_000))).toEqual([{ mailId: MAIL_ID, contentHash: '' }]);
  expect(await read('an-earlier-hash')).toBe(json);
  await blobs.payloads.delete(MAIL_ID, '');
  expect(await read('an-earlier-hash')).toBeUndefined();
});

test('writing a payload again, as after a crash, replaces it; deleting it again does no harm', async () => {
  await put(HASH, '{"first":1}');
  await put(HASH, '{"second":2}');
  expect(await read(HASH)).toBe('{"second":2}');
  await blobs.payloads.delete(MAIL_ID, HASH);
  await blobs.payloads.delete(MAIL_ID, HASH);
});

test('payloads are listed by age with the id and hash of their mail; one that is kept is young again', async () => {
  await put(HASH, json);
  expect(await payloadsBefore(new Date(Date.now() + 60_000))).toEqual([
    { mailId: MAIL_ID, contentHash: HASH },
  ]);
  expect(await payloadsBefore(new Date(Date.now() - 60_000))).toEqual([]);
  const blob = BlobServiceClient.fromConnectionString(connection.connectionString)
    .getContainerClient(PAYLOAD_CONTAINER)
    .getBlobClient(`${MAIL_ID}/${HASH}.json`);
  const { etag } = await blob.getProperties();
  await blobs.payloads.keep(MAIL_ID, HASH);
  expect((await blob.getProperties()).etag).not.toBe(etag);
  expect(await read(HASH)).toBe(json);
  await blobs.payloads.delete(MAIL_ID, HASH);
  await blobs.payloads.keep(MAIL_ID, HASH);
});

test('records are listed oldest first, a page at a time, and read as they were stored', async () => {
  const days = ['2026-03-03', '2026-03-01', '2026-03-02'];
  const records = days.map((day, n) => record(day, `${MAIL_ID.slice(0, -1)}${n}`));
  const names = await Promise.all(records.map((one) => blobs.records.store(one)));
  expect(names[1]).toBe(`2026-03-01/${records[1]?.mailId}.json`);

  const first = await blobs.records.list(2, undefined);
  expect(first.records.map(({ mailId }) => mailId)).toEqual([records[1]?.mailId, records[2]?.mailId]);
  const second = await blobs.records.list(2, first.next);
  expect(second).toEqual({
    records: [{ name: names[0], mailId: records[0]?.mailId, writtenAt: expect.any(Date) }],
  });
  expect(await blobs.records.read(names[0]!)).toMatchObject(records[0]!);

  for (const name of names) await blobs.records.delete(name);
  expect(await blobs.records.read(names[0]!)).toBeUndefined();
  expect(await blobs.records.list(2, undefined)).toEqual({ records: [] });
});

test('a held mail twice on a day has one record, the later', async () => {
  const first = await blobs.records.store(record('2026-03-04', MAIL_ID));
  const version = (await blobs.records.read(first))?.version;
  const name = await blobs.records.store({ ...record('2026-03-04', MAIL_ID), original: 'later' });
  // Of a replay of the first, which ends only now.
  await blobs.records.delete(name, version);
  expect((await blobs.records.list(50, undefined)).records).toHaveLength(1);
  expect((await blobs.records.read(name))?.original).toBe('later');
  await blobs.records.delete(name);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE, not a payload that is missing', async () => {
  const away = openMailBlobs(awayStorage(connection));
  await expect(away.payloads.read(MAIL_ID, HASH)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
