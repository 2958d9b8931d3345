import { BlobServiceClient } from '@azure/storage-blob';
import { beforeEach, expect, test } from 'vitest';
import type { CapturedRecord } from '../../../src/lib/inbox/captured-record.ts';
import { toBoundedSummary } from '../../../src/lib/inbox/captured-summary.ts';
import { openMailBlobs } from '../../../src/lib/storage/mail-blobs.ts';
import { CAPTURED_CONTAINER } from '../../../src/lib/storage/storage-connection.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const { captured } = openMailBlobs(connection);
const container = BlobServiceClient.fromConnectionString(connection.connectionString).getContainerClient(
  CAPTURED_CONTAINER,
);

const never = () => false;
const idOf = (number: number) => `01a20556-8aab-77d5-aa30-${String(number).padStart(12, '0')}`;
const aRecord = (number: number, dueFrom: string, more: Partial<CapturedRecord> = {}): CapturedRecord => ({
  mailId: idOf(number),
  caller: 'payroll',
  tags: [],
  dueFrom,
  capturedAt: dueFrom,
  mailbox: 'noreply@contoso.example',
  way: 'json',
  message: {
    contentType: 'application/json',
    body: {
      message: { subject: `薪資單 ${number}`, toRecipients: [{ emailAddress: { address: 'a@b.example' } }] },
    },
  },
  files: [],
  ...more,
});
const store = async (record: CapturedRecord) => captured.store(record, await toBoundedSummary(record));
const subjects = async () => {
  const found: string[] = [];
  for await (const { Subject } of captured.list()) found.push(Subject);
  return found;
};

beforeEach(() => captured.clear(never));

test('a captured email is read as it was stored, and is gone once deleted', async () => {
  const record = aRecord(1, '2026-03-05T08:00:00.000Z');
  await store(record);
  expect(await captured.read(record)).toEqual(record);
  await captured.delete(record);
  expect(await captured.read(record)).toBeUndefined();
  await captured.delete(record);
});

test('the list has the newest first, over days and within one, and shows what is in it without reading it', async () => {
  for (const [number, at] of [
    [1, '2026-03-05T08:00:00.000Z'],
    [2, '2026-03-05T23:59:59.999Z'],
    [3, '2026-03-06T00:00:00.000Z'],
    [4, '2026-03-04T12:00:00.000Z'],
    [5, '2026-03-05T08:00:00.001Z'],
  ] as const)
    await store(aRecord(number, at));
  expect(await subjects()).toEqual([3, 2, 5, 1, 4].map((number) => `薪資單 ${number}`));
});

test('stored twice, also by an attempt of a later time, an email is there once', async () => {
  const record = aRecord(1, '2026-03-05T08:00:00.000Z');
  await store(record);
  await store({ ...record, capturedAt: '2026-03-05T08:05:00.000Z' });
  expect(await subjects()).toHaveLength(1);
  expect((await captured.read(record))?.capturedAt).toBe('2026-03-05T08:05:00.000Z');
});

test('what is of earlier days is deleted, and what is of the day itself is not', async () => {
  for (const [number, at] of [
    [1, '2026-03-01T00:00:00.000Z'],
    [2, '2026-03-04T23:59:59.999Z'],
    [3, '2026-03-05T00:00:00.000Z'],
  ] as const)
    await store(aRecord(number, at));
  expect(await captured.expire(new Date('2026-03-05T10:00:00Z'), never)).toBe(2);
  expect(await subjects()).toEqual(['薪資單 3']);
});

test('deleting stops when its time is over', async () => {
  for (const number of [1, 2, 3]) await store(aRecord(number, '2026-03-05T08:00:00.000Z'));
  let left = 1;
  await captured.clear(() => left-- <= 0);
  expect(await subjects()).toHaveLength(2);
});

test('an email with 500 recipients of long names, a long subject and many references fits the list', async () => {
  const person = (number: number) => ({
    emailAddress: { address: `${number}${'x'.repeat(50)}@contoso.example`, name: '王'.repeat(200) },
  });
  const message = {
    subject: '薪'.repeat(5000),
    body: { contentType: 'text', content: '\u{1f4c4}'.repeat(5000) },
    toRecipients: Array.from({ length: 500 }, (_, number) => person(number)),
  };
  await store(
    aRecord(1, '2026-03-05T08:00:00.000Z', {
      message: { contentType: 'application/json', body: { message } },
    }),
  );
  const [subject = ''] = await subjects();
  expect(subject.isWellFormed()).toBe(true);
  expect(subject).toHaveLength(300);
});

test('a blob that the relay did not write is not listed', async () => {
  await container.getBlockBlobClient('2026-03-05/other.json').upload('{}', 2);
  expect(await subjects()).toEqual([]);
});

test('where storage is away it says so', async () => {
  const away = openMailBlobs(awayStorage(connection)).captured;
  await expect(away.read(aRecord(1, '2026-03-05T08:00:00.000Z'))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
