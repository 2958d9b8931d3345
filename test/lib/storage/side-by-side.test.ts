import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { indexKeyOf } from '../../../src/lib/ledger/ledger-index.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openMailIndexTable } from '../../../src/lib/storage/mail-index-table.ts';
import { LEDGER_TABLE } from '../../../src/lib/storage/storage-connection.ts';
import { ROWS } from '../../support/every-field.ts';
import { loadLastRules } from '../../support/last-release.ts';
import { storageForTests } from './storage-for-tests.ts';

const never = () => false;
const unexpected = (mailId: string, failure: unknown) => {
  throw new Error(`${mailId} could not be filed`, { cause: failure });
};

test('whichever version writes a row next, the ledger files it once, finds it, and forgets all of it in the end', async () => {
  const { connection } = await storageForTests();
  const table = TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  const keys = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const { rowKey = '' } of table.listEntities()) found.push(rowKey);
    return found.sort();
  };
  const ledgers = [loadLastRules().openLedgerTable(connection), openLedgerTable(connection)] as const;
  const [first, ...rows] = [...ROWS, ...ROWS.toReversed()].map((row, turn) => ({
    ...row,
    progress: { ...row.progress, turn },
  })) as unknown as typeof ROWS;
  let version = (await ledgers[0].create(first!))?.etag;
  for (const [turn, row] of rows.entries()) {
    // Now the one, now the other, and at times the same twice.
    const ledger = ledgers[(turn >> 1) % 2]!;
    version = (await ledger.replace(row, version ?? ''))?.etag;
    expect(version, `${row.fate.state} was not written`).toBeDefined();
    expect((await keys()).filter((key) => !key.startsWith('by.') && !key.startsWith('relay'))).toEqual(
      [row.facts.mailId, indexKeyOf(row)].sort(),
    );
    for (const reader of ledgers) expect((await reader.find(row.facts.mailId))?.row).toEqual(row);
  }
  const found = await openMailIndexTable(connection).list({ by: 'tag', tag: 'pay-slip' }, {}, 10);
  expect(found.map(({ mailId }) => mailId)).toEqual([first!.facts.mailId]);

  for (const ledger of ledgers) expect(await ledger.fileEarlier(never, unexpected)).toBe(0);
  const told = ROWS.find(({ fate, progress }) => fate.state === 'sent' && progress.untold === undefined)!;
  await ledgers[1].replace(told, version ?? '');
  expect(await ledgers[0].expire(new Date('2027-03-02T08:00:00Z'), 0, never)).toBe(1);
  expect((await keys()).filter((key) => !key.startsWith('filing'))).toEqual([]);
});
