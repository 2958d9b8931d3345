import type { TableClient, TableEntity, TableEntityResult } from '@azure/data-tables';
import type { LedgerGap } from '../src/lib/ledger/ledger-gap.ts';
import { unlessChanged } from '../src/lib/storage/conflict.ts';
import { type Entity, toEntry } from '../src/lib/storage/ledger-entity.ts';
import { openLedgerTable } from '../src/lib/storage/ledger-table.ts';
import { openTable } from '../src/lib/storage/open-table.ts';
import { KEY_PLACE, markRestored } from '../src/lib/storage/relay-key.ts';
import type { StorageConnection } from '../src/lib/storage/storage-connection.ts';
import { isOfEmail } from './ledger-entity-check.ts';
import { type Counts, checkLedgerFile, readLedgerFile, writeLedgerFile } from './ledger-file.ts';

const [RELAY, KEY] = KEY_PLACE;

/** What files an email is made anew with its row: it was perhaps read a moment earlier or later than that. */
const isRow = (entity: TableEntity): boolean => typeof entity.row === 'string';

async function* entitiesOf(table: TableClient, withEmails: boolean) {
  const filter = withEmails ? undefined : `PartitionKey ge '${RELAY}'`;
  for await (const entity of table.listEntities<TableEntity>({
    queryOptions: filter === undefined ? {} : { filter },
  })) {
    const found = entity as TableEntity;
    if (!isOfEmail(found)) yield { entity: found, isEmail: false };
    else if (isRow(found)) yield { entity: found, isEmail: true };
  }
}

/** Writes the ledger to a new file, while the relay runs. */
export const exportLedger = (
  connection: StorageConnection,
  path: string,
  { withEmails, now }: { readonly withEmails: boolean; readonly now: Date },
): Promise<Counts> => writeLedgerFile(path, now, entitiesOf(openTable(connection), withEmails));

export type Imported = {
  readonly emails: number;
  readonly others: number;
  /** What the table had already, which stays as it is. */
  readonly kept: number;
  readonly exportedAt: Date;
  /** What the relay is told that the ledger does not know. */
  readonly gap: LedgerGap;
};

/**
 * Adds to a table what a file has and the table has not; what is there stays as it is. That the ledger was restored is written down before the
 * first row, so that an import that ends early is safe too, and once more at its end.
 */
export const importLedger = async (
  connection: StorageConnection,
  path: string,
  gapAt: () => LedgerGap,
): Promise<Imported> => {
  const { exportedAt } = await checkLedgerFile(path);
  const table = openTable(connection);
  await importKey(table, path);
  await markRestored(connection, gapAt());
  const counts = { emails: 0, others: 0, kept: 0 };
  const ledger = openLedgerTable(connection);
  const add = async (entity: TableEntity): Promise<void> => {
    const isEmail = isOfEmail(entity);
    const added = isEmail
      ? await ledger.create(toEntry(entity as TableEntityResult<Entity>).row)
      : await table.createEntity(entity).catch(unlessChanged);
    if (added === undefined) counts.kept += 1;
    else counts[isEmail ? 'emails' : 'others'] += 1;
  };
  await eachOf(readLedgerFile(path), add);
  const asked = gapAt();
  return { ...counts, exportedAt, gap: (await markRestored(connection, asked)) ?? asked };
};

const AT_ONCE = 16;

const eachOf = async <Item>(
  items: AsyncIterable<Item>,
  act: (item: Item) => Promise<void>,
): Promise<void> => {
  const rest = items[Symbol.asyncIterator]();
  const work = async (): Promise<void> => {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
};

const isKey = ({ partitionKey, rowKey }: TableEntity): boolean => partitionKey === RELAY && rowKey === KEY;

const keyIn = async (path: string): Promise<TableEntity> => {
  for await (const entity of readLedgerFile(path)) if (isKey(entity)) return entity;
  throw new Error(
    `${path}: expected the key of the relay among its entities, received none. Without it, no email that was sent can be found again. ` +
      'Use another file; nothing was imported.',
  );
};

/**
 * The ids of emails are made with the key: with another one, what was sent would not be found. A relay that has started with an empty table
 * has made one, which gives way as long as there is no email.
 */
const importKey = async (table: TableClient, path: string): Promise<void> => {
  const key = await keyIn(path);
  const there = await table.getEntity<TableEntity>(RELAY, KEY).catch(unlessChanged);
  if (there?.key === key.key) return;
  if (there !== undefined && (await hasEmails(table)))
    throw new Error(
      'Expected a table without emails or with those of this backup, received one with emails of another relay: it has another key, under which ' +
        'nothing in the file could be found. Stop the app, delete the table and create it again (az storage table delete, az storage table create), ' +
        'then import. Its emails are then only in the log. Nothing was imported.',
    );
  await table.upsertEntity(key, 'Replace');
};

const hasEmails = async (table: TableClient): Promise<boolean> => {
  const pages = table
    .listEntities({ queryOptions: { filter: `PartitionKey lt '${RELAY}'`, select: ['PartitionKey'] } })
    .byPage({ maxPageSize: 1 });
  for await (const page of pages) if (page.length > 0) return true;
  return false;
};
