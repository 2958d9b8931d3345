import { TableClient, type TransactionAction } from '@azure/data-tables';
import { indexKeyOf } from '../src/lib/ledger/ledger-index.ts';
import { newMailId } from '../src/lib/ledger/mail-id.ts';
import { openLedgerTable } from '../src/lib/storage/ledger-table.ts';
import { LEDGER_TABLE } from '../src/lib/storage/storage-connection.ts';
import type { BenchStorage } from './cloud.ts';
import { sentRow } from './ledger-writes.ts';

/** A transaction holds 100 entities of one partition at most, and a mail has two. */
const MOST_IN_TRANSACTION = 50;
const PARTITIONS = 256;

/** Fills the ledger with mails sent long ago: in transactions, as row by row would take minutes. */
export const fillLedger = async (storage: BenchStorage, rows: number): Promise<void> => {
  const table = TableClient.fromConnectionString(storage.connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  let lastId = '';
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const partitionKey = partition.toString(16).padStart(2, '0');
    const due =
      Math.floor((rows * (partition + 1)) / PARTITIONS) - Math.floor((rows * partition) / PARTITIONS);
    for (let done = 0; done < due; done += MOST_IN_TRANSACTION) {
      const batch = Array.from(
        { length: Math.min(MOST_IN_TRANSACTION, due - done) },
        (): readonly TransactionAction[] => {
          const now = new Date();
          const mailId = newMailId(now).slice(0, -partitionKey.length) + partitionKey;
          const row = sentRow(mailId, now);
          lastId = mailId;
          const index = indexKeyOf(row);
          const entity = {
            partitionKey,
            rowKey: mailId,
            state: row.fate.state,
            index,
            row: JSON.stringify(row),
          };
          return [
            ['create', entity],
            ['create', { partitionKey, rowKey: index }],
          ];
        },
      );
      await table.submitTransaction(batch.flat());
    }
  }
  await requireReadable(storage, lastId);
};

/** The layout of the table is known to src/lib/storage/ledger-table.ts alone; here it is written past it. */
const requireReadable = async (storage: BenchStorage, mailId: string): Promise<void> => {
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString: storage.connectionString });
  if ((await ledger.find(mailId))?.row.facts.mailId !== mailId)
    throw new Error('The ledger does not find a row of bench/fill-ledger.ts: its layout has changed.');
};
