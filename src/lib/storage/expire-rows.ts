import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { mailIdOfIndexKey } from '../ledger/ledger-index.ts';
import { unlessChanged } from './conflict.ts';
import { type Entity, searchKeysOf } from './ledger-entity.ts';

/** A filter has at most 15 comparisons (Querying tables and entities), and one is for the partition. */
const MAILS_AT_ONCE = 14;
/** Entity group transactions. */
const MAX_ACTIONS = 100;

/**
 * Deletes the mails that ended under these index keys of a partition, with everything that files them, until `isOver`; gives how many.
 * Only a row that names its index entity is one that ended then: of any other the entity is a leftover, and is deleted alone.
 */
export const expireRows = async (
  table: TableClient,
  partition: string,
  keys: readonly string[],
  isOver: () => boolean,
): Promise<number> => {
  let expired = 0;
  for (let start = 0; start < keys.length && !isOver(); start += MAILS_AT_ONCE) {
    const some = keys.slice(start, start + MAILS_AT_ONCE);
    const filed = await filedUnder(table, partition, some);
    for (const batch of inTransactions(some, filed)) expired += await forget(table, partition, batch, filed);
  }
  return expired;
};

/** For a row that names its index entity: the keys of its search entities. */
type Filed = ReadonlyMap<string, readonly string[]>;

/** The rows under these keys that say that they are filed there. */
const filedUnder = async (table: TableClient, partition: string, keys: readonly string[]): Promise<Filed> => {
  const rows = keys.map((key) => odata`RowKey eq ${mailIdOfIndexKey(key)}`).join(' or ');
  const filter = `${odata`PartitionKey eq ${partition}`} and (${rows})`;
  const named = new Map<string, readonly string[]>();
  const select = ['rowKey', 'index', 'search', 'acceptedAt'];
  for await (const entity of table.listEntities<Entity>({ queryOptions: { filter, select } }))
    if (keys.includes(entity.index)) named.set(entity.index, searchKeysOf(entity));
  return named;
};

/** As many mails at a time as a transaction has room for; one that alone has more comes alone. */
function* inTransactions(keys: readonly string[], filed: Filed): Iterable<readonly string[]> {
  let [batch, actions]: [string[], number] = [[], 0];
  for (const key of keys) {
    const cost = 2 + (filed.get(key)?.length ?? 0);
    if (batch.length > 0 && actions + cost > MAX_ACTIONS) {
      yield batch;
      [batch, actions] = [[], 0];
    }
    batch.push(key);
    actions += cost;
  }
  if (batch.length > 0) yield batch;
}

/**
 * All or none of them. One that somebody changes at this moment has no longer the index entity it had, so that nothing is deleted of it:
 * then each mail is tried by itself.
 */
const forget = async (
  table: TableClient,
  partitionKey: string,
  keys: readonly string[],
  filed: Filed,
): Promise<number> => {
  const deleting = (rowKey: string): TransactionAction => ['delete', { partitionKey, rowKey }];
  const ended = keys.filter((key) => filed.has(key));
  const search = ended.flatMap((key) => filed.get(key) ?? []);
  const actions = [
    ...keys.map(deleting),
    ...ended.map((key) => deleting(mailIdOfIndexKey(key))),
    ...search.map(deleting),
  ];
  if (
    actions.length <= MAX_ACTIONS &&
    (await table.submitTransaction(actions).catch(unlessChanged)) !== undefined
  )
    return ended.length;
  if (keys.length > 1) {
    let forgotten = 0;
    for (const key of keys) forgotten += await forget(table, partitionKey, [key], filed);
    return forgotten;
  }
  return forgetAlone(table, partitionKey, keys[0] ?? '', search, ended.length === 1);
};

/** One mail with more search entities than a transaction holds, or of which some are gone. What is deleted before its row are recipients alone. */
const forgetAlone = async (
  table: TableClient,
  partitionKey: string,
  key: string,
  search: readonly string[],
  hasRow: boolean,
): Promise<number> => {
  const there = async (rowKey: string): Promise<boolean> =>
    (await table.getEntity(partitionKey, rowKey).catch(unlessChanged)) !== undefined;
  const deleting = (rowKey: string): TransactionAction => ['delete', { partitionKey, rowKey }];
  if (!(await there(key))) return 0;
  const left: string[] = [];
  for (const rowKey of search) if (await there(rowKey)) left.push(rowKey);
  const room = MAX_ACTIONS - 2;
  for (let start = room; start < left.length; start += MAX_ACTIONS)
    await table.submitTransaction(left.slice(start, start + MAX_ACTIONS).map(deleting)).catch(unlessChanged);
  const last = [key, ...(hasRow ? [mailIdOfIndexKey(key)] : []), ...left.slice(0, room)];
  const deleted = await table.submitTransaction(last.map(deleting)).catch(unlessChanged);
  return deleted !== undefined && hasRow ? 1 : 0;
};
