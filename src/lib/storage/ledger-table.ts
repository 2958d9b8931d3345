import { randomUUID } from 'node:crypto';
import {
  odata,
  RestError,
  type TableClient,
  type TableEntityResult,
  type TransactionAction,
} from '@azure/data-tables';
import { readRow } from '../ledger/earlier-row.ts';
import { indexKeyOf, keysBefore, mailIdOfIndexKey } from '../ledger/ledger-index.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import type { Ledger, LedgerEntry } from '../ports.ts';
import { explained, explainedList } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** The row as a whole is JSON, in as many columns as it takes. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** For people who look at the table. */
  readonly state: string;
  /** The key of its index entity, which is in the same partition and written in the same transaction. */
  readonly index: string;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
  readonly row: string;
  readonly [more: `row${number}`]: string;
};

/** The end of an id is random, its beginning is the time: so writes spread over 256 partitions. */
const partitionOf = (mailId: string): string => mailId.slice(-2);

const toEntity = (row: LedgerRow): Entity => ({
  partitionKey: partitionOf(row.facts.mailId),
  rowKey: row.facts.mailId,
  state: row.fate.state,
  index: indexKeyOf(row),
  write: randomUUID(),
  row: '',
  ...toColumns('row', JSON.stringify(row)),
});

/** The version a row was read at: its ETag, and the index entity it had. */
const toVersion = (etag: string, index: string): string => `${index} ${etag}`;

const fromVersion = (version: string): { readonly index: string; readonly etag: string } => {
  const space = version.indexOf(' ');
  return { index: version.slice(0, space), etag: version.slice(space + 1) };
};

/** Rows of an earlier version have no index entity. */
const toEntry = (entity: TableEntityResult<Entity>): LedgerEntry => ({
  row: readRow(fromColumns('row', entity)),
  etag: toVersion(entity.etag, entity.index ?? ''),
});

const CONFLICTS = new Set([404, 409, 412]);

/** Undefined when the row is there already, or is no longer what it was: then nothing was written. */
const unlessChanged = (error: unknown): undefined => {
  if (error instanceof RestError && CONFLICTS.has(error.statusCode ?? 0) && !isMissingTable(error))
    return undefined;
  throw error;
};

const PARTITIONS = 256;
/** A filter has at most 15 comparisons (Querying tables and entities), and one is for the partition. */
const MAILS_AT_ONCE = 14;

/** All partitions, beginning at another one each turn. */
const partitions = (turn: number): readonly string[] =>
  Array.from({ length: PARTITIONS }, (_, number) =>
    ((number + turn * STRIDE) % PARTITIONS).toString(16).padStart(2, '0'),
  );
/** Has no factor in common with the number of partitions: after as many turns each has been the first. */
const STRIDE = 97;

/** Where the filing of earlier rows is, beside the key of the relay. */
const FILING = ['relay', 'filing'] as const;
type Filing = { readonly isDone: boolean; readonly next: string };

export const openLedgerTable = (connection: StorageConnection): Ledger => {
  const table = openTable(connection);

  const find = async (mailId: string): Promise<LedgerEntry | undefined> => {
    try {
      return toEntry(await table.getEntity<Entity>(partitionOf(mailId), mailId));
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404 && !isMissingTable(error)) return undefined;
      throw error;
    }
  };

  /**
   * Somebody else's write was first, or this very one: its answer was lost, and the SDK repeated it. Gives the version that
   * this write has made, if it did.
   */
  const ownWrite = async <Its extends LedgerRow>(
    row: Its,
    entity: Entity,
  ): Promise<LedgerEntry<Its> | undefined> => {
    const stored = await table.getEntity<Entity>(entity.partitionKey, entity.rowKey).catch(unlessChanged);
    return stored?.write === entity.write ? { row, etag: toVersion(stored.etag, entity.index) } : undefined;
  };

  /** Without an ETag the row is read: an empty one would let the next write overwrite whatever is there. */
  const asWritten = async <Its extends LedgerRow>(
    row: Its,
    entity: Entity,
    etag: string | undefined,
  ): Promise<LedgerEntry<Its> | undefined> =>
    etag ? { row, etag: toVersion(etag, entity.index) } : ownWrite(row, entity);

  /** Runs a transaction on one mail; gives the version it has then. */
  const write = async <Its extends LedgerRow>(
    row: Its,
    entity: Entity,
    actions: TransactionAction[],
  ): Promise<LedgerEntry<Its> | undefined> => {
    const written = await table.submitTransaction(actions).catch(unlessChanged);
    // In the order of the actions, of which the row is the first. By its key the SDK finds what was created only.
    return asWritten(row, entity, written?.subResponses[0]?.etag);
  };

  const create = <Its extends LedgerRow>(row: Its): Promise<LedgerEntry<Its> | undefined> => {
    const entity = toEntity(row);
    return write(row, entity, [
      ['create', entity],
      ['upsert', toIndex(entity), 'Replace'],
    ]);
  };

  const replace = async <Its extends LedgerRow>(
    row: Its,
    version: string,
  ): Promise<LedgerEntry<Its> | undefined> => {
    const { index, etag } = fromVersion(version);
    const entity = toEntity(row);
    if (index === entity.index) {
      const written = await table.updateEntity(entity, 'Replace', { etag }).catch(unlessChanged);
      return asWritten(row, entity, written?.etag);
    }
    const file: TransactionAction[] = [
      ['update', entity, 'Replace', { etag }],
      ['upsert', toIndex(entity), 'Replace'],
    ];
    if (index === '') return write(row, entity, file);
    const written = await write(row, entity, [...file, ['delete', { ...toIndex(entity), rowKey: index }]]);
    // Or the index entity is gone, which only somebody else can have done: that must not end the mail's life.
    return written ?? ((await isUnfiled(table, entity, index)) ? write(row, entity, file) : undefined);
  };

  return {
    find: explained(find),
    replace: explained(replace),
    create: explained(create),
    listOpen: explainedList(async function* (shelf, before, turn, isOver) {
      for (const partition of partitions(turn)) {
        if (isOver()) return;
        for await (const keys of indexPages(table, partition, keysBefore(shelf, before)))
          yield* keys.map(mailIdOfIndexKey);
      }
    }),
    expire: explained(async (before, turn, isOver) => {
      let expired = 0;
      for (const partition of partitions(turn)) {
        if (isOver()) break;
        for await (const keys of indexPages(table, partition, keysBefore('final', before))) {
          for (let start = 0; start < keys.length && !isOver(); start += MAILS_AT_ONCE)
            expired += await forget(table, partition, keys.slice(start, start + MAILS_AT_ONCE));
          if (isOver()) break;
        }
      }
      return expired;
    }),
    fileEarlier: explained((isOver, onFailure) => fileEarlier(table, replace, isOver, onFailure)),
  };
};

const isUnfiled = async (table: TableClient, { partitionKey }: Entity, index: string): Promise<boolean> =>
  (await table.getEntity(partitionKey, index).catch(unlessChanged)) === undefined;

/** An index entity says all it has to say by its key. */
const toIndex = ({ partitionKey, index }: Entity) => ({ partitionKey, rowKey: index });

/** The keys of a range of index entities, a page at a time. */
async function* indexPages(
  table: TableClient,
  partition: string,
  { from, to }: { readonly from: string; readonly to: string },
): AsyncIterable<readonly string[]> {
  const filter = odata`PartitionKey eq ${partition} and RowKey ge ${from} and RowKey lt ${to}`;
  const pages = table.listEntities({ queryOptions: { filter, select: ['rowKey'] } }).byPage();
  for await (const page of pages) yield page.map(({ rowKey }) => rowKey ?? '');
}

/**
 * Deletes mails with their index entities, all or none. Only a row that names this index entity is one that ended then: of
 * any other the entity is a leftover, and is deleted alone. One that somebody changes at this moment has no longer the
 * index entity it had, so that nothing is deleted of it: then each mail is tried by itself.
 */
const forget = async (table: TableClient, partitionKey: string, keys: readonly string[]): Promise<number> => {
  const filed = await filedUnder(table, partitionKey, keys);
  const actions = keys.flatMap((key): TransactionAction[] => [
    ['delete', { partitionKey, rowKey: key }],
    ...(filed.has(key)
      ? [['delete', { partitionKey, rowKey: mailIdOfIndexKey(key) }] satisfies TransactionAction]
      : []),
  ]);
  if ((await table.submitTransaction(actions).catch(unlessChanged)) !== undefined) return filed.size;
  if (keys.length === 1) return 0;
  let forgotten = 0;
  for (const key of keys) forgotten += await forget(table, partitionKey, [key]);
  return forgotten;
};

/** Those of the keys under which a row says that it is filed. */
const filedUnder = async (
  table: TableClient,
  partition: string,
  keys: readonly string[],
): Promise<ReadonlySet<string>> => {
  const rows = keys.map((key) => odata`RowKey eq ${mailIdOfIndexKey(key)}`).join(' or ');
  const filter = `${odata`PartitionKey eq ${partition}`} and (${rows})`;
  const named = new Set<string>();
  for await (const { index } of table.listEntities<Entity>({ queryOptions: { filter, select: ['index'] } }))
    named.add(index);
  return new Set(keys.filter((key) => named.has(key)));
};

/** Gives rows without an index entity theirs; where it has come to is kept, as one run may not see them all. */
const fileEarlier = async (
  table: TableClient,
  replace: Ledger['replace'],
  isOver: () => boolean,
  onFailure: (mailId: string, failure: unknown) => void,
): Promise<number> => {
  const kept = await table.getEntity<Filing>(...FILING).catch(unlessChanged);
  if (kept?.isDone) return 0;
  let filed = 0;
  let next = kept?.next ?? '';
  const pages = table.listEntities<Entity>().byPage(next === '' ? {} : { continuationToken: next });
  for await (const page of pages) {
    for (const entity of page) {
      if (entity.row === undefined || entity.index !== undefined) continue;
      try {
        const { row, etag } = toEntry(entity);
        if ((await replace(row, etag)) !== undefined) filed += 1;
      } catch (failure) {
        onFailure(entity.rowKey ?? '', failure);
      }
    }
    next = page.continuationToken ?? '';
    if (next === '' || isOver()) break;
  }
  const [partitionKey, rowKey] = FILING;
  await table.upsertEntity<Filing>({ partitionKey, rowKey, isDone: next === '', next }, 'Replace');
  return filed;
};
