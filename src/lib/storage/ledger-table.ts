import {
  odata,
  RestError,
  type TableClient,
  type TableEntityResult,
  type TransactionAction,
} from '@azure/data-tables';
import { readRow } from '../ledger/earlier-row.ts';
import type { Ledger, LedgerEntry } from '../ledger/ledger.ts';
import { indexKeyOf, keysBefore, mailIdOfIndexKey } from '../ledger/ledger-index.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
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
  readonly row: string;
  readonly [more: `row${number}`]: string;
};

/** A text property holds 64 KiB in UTF-16 (Understanding the Table service data model). */
const MAX_COLUMN = 32_000;

/** The end of an id is random, its beginning is the time: so writes spread over 256 partitions. */
const partitionOf = (mailId: string): string => mailId.slice(-2);

const toEntity = (row: LedgerRow): Entity => ({
  partitionKey: partitionOf(row.mailId),
  rowKey: row.mailId,
  state: row.state,
  index: indexKeyOf(row),
  row: '',
  ...toColumns(toAsciiJson(row)),
});

/** `row`, `row1`, `row2` ... Only a row with the addresses of many recipients needs more than the first. */
const toColumns = (json: string): Record<string, string> => {
  const columns: Record<string, string> = {};
  for (let number = 0; number * MAX_COLUMN < json.length; number += 1)
    columns[number === 0 ? 'row' : `row${number}`] = json.slice(
      number * MAX_COLUMN,
      (number + 1) * MAX_COLUMN,
    );
  return columns;
};

/** JSON in ASCII, which can be cut anywhere: large requests are cut on their way as well, inside a character. */
const toAsciiJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const fromColumns = (entity: Entity): string => {
  let json = entity.row;
  for (let number = 1; ; number += 1) {
    const more = entity[`row${number}`];
    if (more === undefined) return json;
    json += more;
  }
};

/** The version a row was read at: its ETag, and the index entity it had. */
const toVersion = (etag: string, index: string): string => `${index} ${etag}`;

const fromVersion = (version: string): { readonly index: string; readonly etag: string } => {
  const space = version.indexOf(' ');
  return { index: version.slice(0, space), etag: version.slice(space + 1) };
};

/** Rows of an earlier version have no index entity. */
const toEntry = (entity: TableEntityResult<Entity>): LedgerEntry => ({
  row: readRow(fromColumns(entity)),
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
/** A transaction has at most 100 entities (Performing entity group transactions); a mail that expires is two. */
const MAILS_IN_TRANSACTION = 50;

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

  /** Runs a transaction on one mail; gives the version it has then. */
  const write = async (row: LedgerRow, actions: TransactionAction[]): Promise<LedgerEntry | undefined> => {
    const written = await table.submitTransaction(actions).catch(unlessChanged);
    const etag = written?.getResponseForEntity(row.mailId)?.etag;
    return written === undefined ? undefined : { row, etag: toVersion(etag ?? '', indexKeyOf(row)) };
  };

  const replace = async (row: LedgerRow, version: string): Promise<LedgerEntry | undefined> => {
    const { index, etag } = fromVersion(version);
    const entity = toEntity(row);
    if (index === entity.index) {
      const written = await table.updateEntity(entity, 'Replace', { etag }).catch(unlessChanged);
      return written === undefined ? undefined : { row, etag: toVersion(written.etag ?? '', index) };
    }
    const file: TransactionAction[] = [
      ['update', entity, 'Replace', { etag }],
      ['upsert', toIndex(entity), 'Replace'],
    ];
    if (index === '') return write(row, file);
    const written = await write(row, [...file, ['delete', { ...toIndex(entity), rowKey: index }]]);
    // Or the index entity is gone, which only somebody else can have done: that must not end the mail's life.
    return written ?? ((await isUnfiled(table, entity, index)) ? write(row, file) : undefined);
  };

  return {
    find,
    replace,
    create: (row) => {
      const entity = toEntity(row);
      return write(row, [
        ['create', entity],
        ['upsert', toIndex(entity), 'Replace'],
      ]);
    },
    listOpen: async function* (shelf, before, turn) {
      for (const partition of partitions(turn))
        for await (const keys of indexPages(table, partition, keysBefore(shelf, before)))
          yield* keys.map(mailIdOfIndexKey);
    },
    expire: async (before, turn, isOver) => {
      let expired = 0;
      for (const partition of partitions(turn)) {
        if (isOver()) break;
        for await (const keys of indexPages(table, partition, keysBefore('final', before))) {
          for (let start = 0; start < keys.length && !isOver(); start += MAILS_IN_TRANSACTION)
            expired += await forget(table, partition, keys.slice(start, start + MAILS_IN_TRANSACTION));
          if (isOver()) break;
        }
      }
      return expired;
    },
    fileEarlier: (isOver) => fileEarlier(table, replace, isOver),
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
 * Deletes mails with their index entities, all or none. One that somebody changes at this moment has no longer the index
 * entity it had, so that nothing is deleted of it: then each mail is tried by itself.
 */
const forget = async (table: TableClient, partitionKey: string, keys: readonly string[]): Promise<number> => {
  const actions = keys.flatMap((key): TransactionAction[] => [
    ['delete', { partitionKey, rowKey: key }],
    ['delete', { partitionKey, rowKey: mailIdOfIndexKey(key) }],
  ]);
  if ((await table.submitTransaction(actions).catch(unlessChanged)) !== undefined) return keys.length;
  if (keys.length === 1) return 0;
  let forgotten = 0;
  for (const key of keys) forgotten += await forget(table, partitionKey, [key]);
  return forgotten;
};

/** Gives rows without an index entity theirs; where it has come to is kept, as one run may not see them all. */
const fileEarlier = async (
  table: TableClient,
  replace: Ledger['replace'],
  isOver: () => boolean,
): Promise<number> => {
  const kept = await table.getEntity<Filing>(...FILING).catch(unlessChanged);
  if (kept?.isDone) return 0;
  let filed = 0;
  let next = kept?.next ?? '';
  const pages = table.listEntities<Entity>().byPage(next === '' ? {} : { continuationToken: next });
  for await (const page of pages) {
    for (const entity of page) {
      if (entity.row === undefined || entity.index !== undefined) continue;
      const { row, etag } = toEntry(entity);
      if ((await replace(row, etag)) !== undefined) filed += 1;
    }
    next = page.continuationToken ?? '';
    if (next === '' || isOver()) break;
  }
  const [partitionKey, rowKey] = FILING;
  await table.upsertEntity<Filing>({ partitionKey, rowKey, isDone: next === '', next }, 'Replace');
  return filed;
};
