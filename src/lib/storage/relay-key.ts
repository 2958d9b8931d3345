import { randomBytes } from 'node:crypto';
import { odata, RestError, type TableClient } from '@azure/data-tables';
import { defined } from '../defined.ts';
import type { LedgerGap } from '../ledger/ledger-gap.ts';
import { unlessChanged } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** The secret that ids, hashes and tags are made with. */
export type RelayKey = {
  readonly key: Uint8Array;
  /** The ledger had rows before it had a key: their ids and hashes are those of an earlier version. */
  readonly hasEarlierRows: boolean;
  /** Where the ledger was restored from a backup. */
  readonly gap?: LedgerGap;
};

type Entity = {
  readonly key: string;
  readonly hasEarlierRows: boolean;
  /** Every row of this ledger was written by a version that files it for searches. */
  readonly isSearchable?: boolean;
  /** When the ledger was restored, and until when callers may repeat what it does not know. */
  readonly restoredAt?: string;
  readonly repeatsUntil?: string;
};

/** Beside the rows, whose partitions have names of two characters: who may only use queues cannot read it. */
export const KEY_PLACE = ['relay', 'key'] as const;
const KEY_BYTES = 32;

const find = async (table: TableClient): Promise<RelayKey | undefined> => {
  try {
    const entity = await table.getEntity<Entity>(...KEY_PLACE);
    const { key, hasEarlierRows } = entity;
    return { key: Buffer.from(key, 'base64'), hasEarlierRows, ...defined({ gap: gapOf(entity) }) };
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404 && !isMissingTable(error)) return undefined;
    throw error;
  }
};

const gapOf = ({ restoredAt, repeatsUntil = restoredAt }: Entity): LedgerGap | undefined =>
  restoredAt === undefined || repeatsUntil === undefined
    ? undefined
    : { until: new Date(restoredAt), repeatsUntil: new Date(repeatsUntil) };

const hasRows = async (table: TableClient): Promise<boolean> => {
  // Partitions of rows have names of two hexadecimal digits; what the relay keeps of itself has its own.
  const filter = odata`PartitionKey lt ${KEY_PLACE[0]}`;
  const pages = table
    .listEntities({ queryOptions: { filter, select: ['PartitionKey'] } })
    .byPage({ maxPageSize: 1 });
  for await (const page of pages) if (page.length > 0) return true;
  return false;
};

/** Whether the ledger has no rows but such as can be searched. Nobody has made a row before there is a key. */
export const isNewLedger = async (table: TableClient): Promise<boolean> => {
  const kept = await table.getEntity<Entity>(...KEY_PLACE).catch(unlessChanged);
  return kept === undefined ? !(await hasRows(table)) : kept.isSearchable === true;
};

const later = (one: Date, other: Date | undefined): Date =>
  other !== undefined && other > one ? other : one;

const writeGap = async (table: TableClient, gap: LedgerGap): Promise<void> => {
  const [partitionKey, rowKey] = KEY_PLACE;
  const mark = { restoredAt: gap.until.toISOString(), repeatsUntil: gap.repeatsUntil.toISOString() };
  await table.updateEntity({ partitionKey, rowKey, ...mark }, 'Merge');
};

/**
 * Writes down that the ledger was restored, beside the key that every instance reads when it starts. Of what is written there already, the
 * later times stay: a second mark must not hide what the first one covers. Gives what holds then; undefined where there is no key, as
 * nobody could find an email that was sent by another one.
 */
export const markRestored = async (
  connection: StorageConnection,
  { until, repeatsUntil }: LedgerGap,
): Promise<LedgerGap | undefined> => {
  const table = openTable(connection);
  const known = await find(table);
  if (known === undefined) return undefined;
  const gap = {
    until: later(until, known.gap?.until),
    repeatsUntil: later(repeatsUntil, known.gap?.repeatsUntil),
  };
  await writeGap(table, gap);
  return gap;
};

/** Ends the search for emails that are received with an idempotency key from `now` on. Undefined where the ledger was never restored. */
export const trustKeys = async (connection: StorageConnection, now: Date): Promise<LedgerGap | undefined> => {
  const table = openTable(connection);
  const gap = (await find(table))?.gap;
  if (gap === undefined) return undefined;
  // What ended before stays so.
  const trusted = { ...gap, repeatsUntil: gap.repeatsUntil < now ? gap.repeatsUntil : now };
  await writeGap(table, trusted);
  return trusted;
};

/** Gives the key of the relay, which the first instance to ask makes. */
export const openRelayKey = (connection: StorageConnection) => {
  const table = openTable(connection);
  return {
    /** Undefined where nobody has made it. */
    findRelayKey: explained(() => find(table)),
    readRelayKey: explained(async (): Promise<RelayKey> => {
      const known = await find(table);
      if (known !== undefined) return known;
      const made = { key: randomBytes(KEY_BYTES), hasEarlierRows: await hasRows(table) };
      const [partitionKey, rowKey] = KEY_PLACE;
      try {
        const entity: Entity = {
          key: made.key.toString('base64'),
          hasEarlierRows: made.hasEarlierRows,
          isSearchable: !made.hasEarlierRows,
        };
        await table.createEntity<Entity>({ partitionKey, rowKey, ...entity });
        return made;
      } catch (error) {
        // Another instance was first, or this one was, and the answer to that was lost.
        const kept = error instanceof RestError && error.statusCode === 409 ? await find(table) : undefined;
        if (kept === undefined) throw error;
        return kept;
      }
    }),
  };
};
