import { odata, RestError, type TableClient, type TransactionAction } from '@azure/data-tables';
import { keysBefore, mailIdOfIndexKey } from '../ledger/ledger-index.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import { prefixesOf } from '../ledger/search-index.ts';
import type { Ledger, LedgerEntry } from '../ports.ts';
import { unlessChanged } from './conflict.ts';
import { expireRows } from './expire-rows.ts';
import { explained, explainedList } from './explain-failures.ts';
import { fileEarlier } from './file-earlier.ts';
import {
  type Entity,
  fromVersion,
  type KeyOnly,
  PARTITIONS,
  partitionNamed,
  partitionOf,
  searchEntityOf,
  toEntity,
  toEntry,
  toVersion,
} from './ledger-entity.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Entity group transactions. */
const MAX_ACTIONS = 100;

/** Has no factor in common with the number of partitions: after as many turns each has been the first. */
const STRIDE = 97;

/** All partitions, beginning at another one each turn. */
const partitions = (turn: number): readonly string[] =>
  Array.from({ length: PARTITIONS }, (_, number) => partitionNamed(number + turn * STRIDE));

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
    return stored?.write === entity.write ? { row, etag: toVersion(stored.etag, entity) } : undefined;
  };

  /** Without an ETag the row is read: an empty one would let the next write overwrite whatever is there. */
  const asWritten = async <Its extends LedgerRow>(
    row: Its,
    entity: Entity,
    etag: string | undefined,
  ): Promise<LedgerEntry<Its> | undefined> =>
    etag ? { row, etag: toVersion(etag, entity) } : ownWrite(row, entity);

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

  /** What does not fit into a transaction with the row is filed by the next write: an email has at least two. */
  const create = <Its extends LedgerRow>(row: Its): Promise<LedgerEntry<Its> | undefined> => {
    const prefixes = prefixesOf(row).slice(0, MAX_ACTIONS - 2);
    const entity = toEntity(row, prefixes);
    return write(row, entity, [
      ['create', entity],
      ['upsert', toIndex(entity), 'Replace'],
      ...prefixes.map((prefix) => toUpsert(searchEntityOf(row, prefix))),
    ]);
  };

  /**
   * Files under as many prefixes as one transaction has no room for; gives those under which the email is filed then. Their keys do not
   * depend on this write, so they are right whoever writes the row.
   */
  const fileAhead = async (row: LedgerRow, prefixes: readonly string[]): Promise<readonly string[]> => {
    const filed: string[] = [];
    for (let start = 0; start < prefixes.length; start += MAX_ACTIONS) {
      const some = prefixes.slice(start, start + MAX_ACTIONS);
      try {
        await table.submitTransaction(some.map((prefix) => toUpsert(searchEntityOf(row, prefix))));
      } catch {
        // The row matters more: if this failed, it fails there, or the next write files the rest.
        return filed;
      }
      filed.push(...some);
    }
    return filed;
  };

  const replace = async <Its extends LedgerRow>(
    row: Its,
    version: string,
  ): Promise<LedgerEntry<Its> | undefined> => {
    const { index, prefixes: before, etag } = fromVersion(version);
    const wanted = prefixesOf(row);
    const [known, kept] = [new Set(before), new Set(wanted)];
    const missing = wanted.filter((prefix) => !known.has(prefix));
    const gone = before.filter((prefix) => !kept.has(prefix));
    // Beside the row and the two index entities.
    const room = MAX_ACTIONS - 3 - gone.length;
    const [now, ahead] = [missing.slice(0, room), missing.slice(room)];
    const filed = new Set([...now, ...(ahead.length === 0 ? [] : await fileAhead(row, ahead))]);
    const entity = toEntity(
      row,
      wanted.filter((prefix) => known.has(prefix) || filed.has(prefix)),
    );
    const left = [
      ...(index === '' || index === entity.index ? [] : [{ ...toIndex(entity), rowKey: index }]),
      ...gone.map((prefix) => searchEntityOf(row, prefix)),
    ];
    if (index === entity.index && now.length === 0 && left.length === 0) {
      const written = await table.updateEntity(entity, 'Replace', { etag }).catch(unlessChanged);
      return asWritten(row, entity, written?.etag);
    }
    const file: TransactionAction[] = [
      ['update', entity, 'Replace', { etag }],
      ...(index === entity.index ? [] : [toUpsert(toIndex(entity))]),
      ...now.map((prefix) => toUpsert(searchEntityOf(row, prefix))),
    ];
    const written = await write(row, entity, [...file, ...left.map(toDelete)]);
    if (written !== undefined || left.length === 0) return written;
    // Or what files it is gone, which only somebody else can have done: that must not end the mail's life.
    const there = await Promise.all(left.map((key) => isThere(table, key)));
    if (there.every(Boolean)) return undefined;
    return write(row, entity, [...file, ...left.filter((_, at) => there[at]).map(toDelete)]);
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
          expired += await expireRows(table, partition, keys, isOver);
          if (isOver()) break;
        }
      }
      return expired;
    }),
    forget: explained(async (row, version) => {
      // What is found by nothing yet is filed first. It is a write of this version too: of another, nothing is deleted.
      const filed = await replace(row, version);
      if (filed === undefined) return false;
      const { index } = fromVersion(filed.etag);
      return (await expireRows(table, partitionOf(row.facts.mailId), [index], () => false)) === 1;
    }),
    fileEarlier: explained((isOver, onFailure) => fileEarlier(table, replace, isOver, onFailure)),
  };
};

const toUpsert = (entity: KeyOnly): TransactionAction => ['upsert', entity, 'Replace'];
const toDelete = (entity: KeyOnly): TransactionAction => ['delete', entity];

const isThere = async (table: TableClient, { partitionKey, rowKey }: KeyOnly): Promise<boolean> =>
  (await table.getEntity(partitionKey, rowKey).catch(unlessChanged)) !== undefined;

const toIndex = ({ partitionKey, index }: Entity): KeyOnly => ({ partitionKey, rowKey: index });

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
