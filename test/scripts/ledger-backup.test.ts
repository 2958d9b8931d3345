import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { exportLedger, importLedger } from '../../scripts/ledger-backup.ts';
import { checkEntity } from '../../scripts/ledger-entity-check.ts';
import { writeLedgerFile } from '../../scripts/ledger-file.ts';
import { isIn, type LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { claimNew, queueNew, recordSent } from '../../src/lib/ledger/transitions.ts';
import { toEntity } from '../../src/lib/storage/ledger-entity.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { openMailIndexTable } from '../../src/lib/storage/mail-index-table.ts';
import { markRestored, openRelayKey, trustKeys } from '../../src/lib/storage/relay-key.ts';
import type { StorageConnection } from '../../src/lib/storage/storage-connection.ts';
import { openUsageTable } from '../../src/lib/storage/usage-table.ts';
import { storageForTests } from '../lib/storage/storage-for-tests.ts';
import { aNewMail } from '../support/a-new-mail.ts';
import { ROWS } from '../support/every-field.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const RESTORED = new Date('2026-03-03T08:00:00Z');
const gapAt = () => ({ until: RESTORED, repeatsUntil: new Date('2026-06-01T08:00:00Z') });
const idOf = (number: number) => `0199aaaa-bbbb-7ccc-8ddd-${number.toString(16).padStart(12, '0')}`;

const folder = await mkdtemp(join(tmpdir(), 'ledger-'));
afterAll(() => rm(folder, { recursive: true }));

const { connection } = await storageForTests();
const key = await openRelayKey(connection).readRelayKey();
const rows: readonly LedgerRow[] = [0, 1, 2, 255, 256].map((number) => {
  const mail = { ...aNewMail(NOW), mailId: idOf(number), tags: ['invoice'] };
  if (number % 2 === 0) return queueNew(mail, NOW);
  return recordSent(claimNew(mail, true, NOW), { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
});
for (const row of rows) await openLedgerTable(connection).create(row);
await openUsageTable(connection).write(
  '2026-03-02',
  'payroll',
  { taken: { mails: 7, recipients: 9 }, isTold: false },
  undefined,
);

const full = join(folder, 'full');
const written = await exportLedger(connection, full, { withEmails: true, now: NOW });

const find = async (where: StorageConnection): Promise<readonly (string | undefined)[]> => {
  const ledger = openLedgerTable(where);
  const found = await Promise.all(rows.map(({ facts }) => ledger.find(facts.mailId)));
  return found.map((entry) => entry?.row.fate.state);
};

const STATES = ['queued', 'sent', 'queued', 'sent', 'queued'];

test('a backup has each email once, and what the relay keeps of itself', async () => {
  expect(written).toEqual({ emails: rows.length, others: 2 });
  const mode = (await stat(full)).mode & 0o777;
  expect(mode).toBe(0o600);
});

test('a restored ledger is the one that was backed up: its emails are found, by their terms too, and its limits', async () => {
  const { connection: restored } = await storageForTests();
  const done = await importLedger(restored, full, gapAt);
  expect(done).toEqual({ emails: rows.length, others: 1, kept: 1, exportedAt: NOW, gap: gapAt() });

  expect(await find(restored)).toEqual(STATES);
  const index = openMailIndexTable(restored);
  const places = await index.list({ by: 'tag', tag: 'invoice' }, {}, 10);
  expect(places).toHaveLength(rows.length);
  const usage = await openUsageTable(restored).read('2026-03-02', 'payroll');
  expect(usage.taken).toEqual({ mails: 7, recipients: 9 });
});

test('it has the same key, and every instance that starts is told until when the ledger knows nothing', async () => {
  const { connection: restored } = await storageForTests();
  await importLedger(restored, full, gapAt);
  const known = await openRelayKey(restored).readRelayKey();
  expect(Buffer.from(known.key)).toEqual(Buffer.from(key.key));
  expect(known.gap).toEqual(gapAt());
});

test('an import that is repeated adds nothing, and what is newer stays', async () => {
  const { connection: restored } = await storageForTests();
  await importLedger(restored, full, gapAt);
  const ledger = openLedgerTable(restored);
  const entry = await ledger.find(idOf(0));
  if (entry === undefined || !isIn(entry.row, 'queued')) throw new Error('it is queued');
  await ledger.replace(claimNew(entry.row.facts, true, NOW), entry.etag);
  expect(await importLedger(restored, full, gapAt)).toMatchObject({ emails: 0, others: 0 });
  expect(await find(restored)).toEqual(['sending', ...STATES.slice(1)]);
});

test('without emails it has the key, callers and limits, and is as small as they are', async () => {
  const small = join(folder, 'small');
  expect(await exportLedger(connection, small, { withEmails: false, now: NOW })).toEqual({
    emails: 0,
    others: 2,
  });
  const { connection: restored } = await storageForTests();
  await importLedger(restored, small, gapAt);
  expect(Buffer.from((await openRelayKey(restored).readRelayKey()).key)).toEqual(Buffer.from(key.key));
  expect(await find(restored)).toEqual(rows.map(() => undefined));
});

test('the key of a relay that started with an empty table gives way; with emails of its own, nothing is imported', async () => {
  const { connection: started } = await storageForTests();
  await openRelayKey(started).readRelayKey();
  await importLedger(started, full, gapAt);
  expect(Buffer.from((await openRelayKey(started).readRelayKey()).key)).toEqual(Buffer.from(key.key));

  const { connection: used } = await storageForTests();
  const own = await openRelayKey(used).readRelayKey();
  await openLedgerTable(used).create(queueNew({ ...aNewMail(NOW), mailId: idOf(77) }, NOW));
  await expect(importLedger(used, full, gapAt)).rejects.toThrow(/received one with emails of another relay/);
  expect(await openRelayKey(used).readRelayKey()).toEqual(own);
  expect(await find(used)).toEqual(rows.map(() => undefined));
});

const ROW = /"row":"(?:[^"\\]|\\.)*"/;
const A_ROW = /line \d+: expected the row of an email .* Use another file; nothing was imported/;

test.each<[string, (text: string) => string, RegExp]>([
  ['that was cut', (text) => text.split('\n').slice(0, -3).join('\n'), /is not complete/],
  [
    'whose line is broken',
    (text) => text.replace('"partitionKey"', 'partitionKey'),
    /expected JSON on line 2/,
  ],
  ['of something else', () => '{"format":"another"}\n', /expected a file that npm run ledger -- export/],
  ['that is empty', () => '', /is not complete/],
  ['of a newer version', (text) => text.replace('"version":1', '"version":2'), /newer version of the relay/],
  ['that does not say when', (text) => text.replace(NOW.toISOString(), 'yesterday'), /expected on line 1/],
  ['with a line that is null', (text) => text.replace('\n', '\nnull\n'), /line 2: expected an entity/],
  ['whose end says nothing', (text) => text.replace(/"end":.*/, '"end":null}'), /how many entities/],
  ['that goes on', (text) => `${text}{}\n`, /expected nothing after the last line/],
  ['with half a row', (text) => text.replace(ROW, '"row":"{\\"broken"'), A_ROW],
  ['with an empty row', (text) => text.replace(ROW, '"row":"{}"'), A_ROW],
  ['with no row', (text) => text.replace('"row":', '"raw":'), A_ROW],
  ['with a row of another id', (text) => text.replace('"rowKey":"0199a', '"rowKey":"0199b'), /under the id/],
  [
    'with a partition that is none',
    (text) => text.replace(/"partitionKey":"[0-9a-f]{2}"/, '"partitionKey":"zz"'),
    /line \d+: expected an entity .* partitionKey/,
  ],
  ['with another key', (text) => text.replace(/"key":"[^"]+"/, '"key":"c2hvcnQ="'), /the key of the relay/],
])('of a file %s, nothing is imported', async (_case, spoil, message) => {
  const path = join(folder, 'spoilt');
  await writeFile(path, spoil(await readFile(full, 'utf8')));
  const { connection: restored } = await storageForTests();
  await expect(importLedger(restored, path, gapAt)).rejects.toThrow(message);
  expect(await openRelayKey(restored).findRelayKey()).toBeUndefined();
});

test('a backup never takes the place of another one', async () => {
  await expect(exportLedger(connection, full, { withEmails: true, now: NOW })).rejects.toThrow('EEXIST');
  expect(await readFile(full, 'utf8')).toContain('"end"');
});

test('of a backup that ends early nothing is left, so that it can be made again', async () => {
  const path = join(folder, 'early');
  const entities = async function* () {
    yield { entity: { partitionKey: 'relay', rowKey: 'key' }, isEmail: false };
    throw new Error('storage is away');
  };
  await expect(writeLedgerFile(path, NOW, entities())).rejects.toThrow('storage is away');
  await expect(stat(path)).rejects.toThrow('ENOENT');
});

test('a table without a key cannot be marked as restored: nothing that was sent could be found', async () => {
  const { connection: empty } = await storageForTests();
  expect(await markRestored(empty, gapAt())).toBeUndefined();
});

test('a ledger that is marked once more is marked with the later times: what the first mark covers stays covered', async () => {
  const { connection: restored } = await storageForTests();
  await importLedger(restored, full, gapAt);
  const gapOf = async () => (await openRelayKey(restored).readRelayKey()).gap;
  const before = { until: new Date('2020-01-01T00:00:00Z'), repeatsUntil: new Date('2020-01-01T00:00:00Z') };
  expect(await markRestored(restored, before)).toEqual(gapAt());
  expect(await gapOf()).toEqual(gapAt());
  const later = { until: new Date('2026-03-04T08:00:00Z'), repeatsUntil: gapAt().until };
  expect(await markRestored(restored, later)).toEqual({ ...later, repeatsUntil: gapAt().repeatsUntil });
});

test('only trusting the keys again ends the search for them, and what ended before stays so', async () => {
  const { connection: restored } = await storageForTests();
  await openRelayKey(restored).readRelayKey();
  expect(await trustKeys(restored, NOW)).toBeUndefined();
  await markRestored(restored, gapAt());
  const now = new Date('2026-03-05T08:00:00Z');
  expect(await trustKeys(restored, now)).toEqual({ until: RESTORED, repeatsUntil: now });
  expect(await trustKeys(restored, new Date('2026-03-06T08:00:00Z'))).toMatchObject({ repeatsUntil: now });
});

/** What the command prints, and how it exits. */
const command = async (
  { connectionString }: { readonly connectionString: string },
  ...args: readonly string[]
) => {
  const env = { ...process.env, AZURE_STORAGE_CONNECTION_STRING: connectionString };
  const { status, stdout, stderr } = await new Promise<{ status: number; stdout: string; stderr: string }>(
    (resolve) => {
      const child = execFile(process.execPath, ['scripts/ledger.ts', ...args], { env }, (_error, out, err) =>
        resolve({ status: child.exitCode ?? -1, stdout: out, stderr: err }),
      );
    },
  );
  return { status, text: stdout + stderr };
};

test('who marks a ledger once more with an earlier time is told which times hold', async () => {
  const { connection: restored } = await storageForTests();
  await importLedger(restored, full, gapAt);
  const { status, text } = await command(restored, 'mark-restored', '--at', '2020-01-01T00:00:00Z');
  expect(status).toBe(0);
  expect(text).toContain('The later times hold.');
  expect(text).toContain(`restored at ${RESTORED.toISOString()}`);
});

test('a day that is in no calendar is refused, and nothing is marked', async () => {
  const { status, text } = await command(connection, 'mark-restored', '--at', '2026-02-31T00:00:00Z');
  expect([status, text]).toEqual([2, expect.stringContaining('--at: expected a time such as')]);
  expect((await openRelayKey(connection).readRelayKey()).gap).toBeUndefined();
});

test('every row that the relay writes can be imported, and so can a file that begins as some editors write it', async () => {
  const entities = ROWS.map((row) => checkEntity({ ...toEntity(row, []) }));
  expect(entities).toEqual(ROWS.map(() => undefined));
  const path = join(folder, 'with a mark');
  await writeFile(path, `\uFEFF${await readFile(full, 'utf8')}`);
  const { connection: restored } = await storageForTests();
  expect(await importLedger(restored, path, gapAt)).toMatchObject({ emails: rows.length });
});
