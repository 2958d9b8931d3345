import { odata, type TableClient, type TableEntityResult, type TransactionAction } from '@azure/data-tables';
import { v7 as newId } from 'uuid';
import type { AuditEntry } from '../callers/caller-audit.ts';
import {
  readStoredJson,
  type StoredCaller,
  type StoredCallers,
  toStoredJson,
  type UnreadableCaller,
} from '../callers/stored-caller.ts';
import { defined } from '../defined.ts';
import type { AuditPage, CallerStore } from '../ports.ts';
import { unlessChanged } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/**
 * Everything of callers is in one partition, so that a change, the version of the whole and the entry of the trail are written in
 * one transaction. Its name comes after `relay`, where rows of emails end.
 */
const PARTITION = 'relay-callers';
/** Every change writes it: of two that read the same, one is refused. */
const VERSION = 'version';
const CALLERS = { from: 'caller!', to: 'caller"' } as const;
const TRAIL = { from: 'audit!', to: 'audit"' } as const;

/** For people who look at the table, `caller`; what is kept as JSON is in `json`, `json1` ... */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly caller: string;
  /** Also here, so that a key stays the key of its caller where the JSON cannot be read. */
  readonly functionKeys?: string;
  readonly [json: `json${string}`]: string;
};

const PAGE = 100;
/** How long the trail goes back: a year, and time to look at it after the year. */
const TRAIL_DAYS = 400;
const DAY_MS = 86_400_000;
/** The largest time of a Date: what is taken from it is smaller the later it was. */
const END_OF_TIME = 8_640_000_000_000_000;

const trailKeyAt = (time: number): string => `${TRAIL.from}${String(END_OF_TIME - time).padStart(16, '0')}`;

const toEntity = (caller: StoredCaller): Entity => ({
  partitionKey: PARTITION,
  rowKey: `${CALLERS.from}${caller.name}`,
  caller: caller.name,
  functionKeys: caller.declaration?.functionKeys.join(' ') ?? '',
  ...toColumns('json', toStoredJson(caller)),
});

const fromEntity = (entity: TableEntityResult<Entity>): StoredCaller | UnreadableCaller => {
  const name = (entity.rowKey ?? '').slice(CALLERS.from.length);
  const { functionKeys } = entity;
  return (
    readStoredJson(name, fromColumns('json', entity)) ?? {
      name,
      functionKeys: typeof functionKeys === 'string' ? functionKeys.split(' ').filter(Boolean) : [],
    }
  );
};

const isReadable = (one: StoredCaller | UnreadableCaller): one is StoredCaller => 'keys' in one;

type Found = { readonly key: string; readonly entry: AuditEntry };

const toPage = (found: readonly Found[], next?: string): AuditPage => ({
  entries: found.map(({ entry }) => entry),
  ...defined({ next }),
});

/** One that somebody has changed in the table is shown as that, and hides no other. */
const toEntry = ({ caller, timestamp = '', ...columns }: TableEntityResult<Entity>): AuditEntry => {
  try {
    return JSON.parse(fromColumns('json', columns)) as AuditEntry;
  } catch {
    return { at: timestamp, with: 'master key', caller, action: 'unreadable', changes: [] };
  }
};

const within = ({ from, to }: { readonly from: string; readonly to: string }): string =>
  odata`PartitionKey eq ${PARTITION} and RowKey gt ${from} and RowKey lt ${to}`;

const readAll = async (table: TableClient): Promise<StoredCallers> => {
  const read: (StoredCaller | UnreadableCaller)[] = [];
  for await (const entity of table.listEntities<Entity>({ queryOptions: { filter: within(CALLERS) } }))
    read.push(fromEntity(entity));
  return {
    callers: read.filter(isReadable),
    unreadable: read.filter((one): one is UnreadableCaller => !isReadable(one)),
  };
};

/** Deletes what is older than the trail goes back, a transaction of it: the next change deletes more. */
const expireTrail = async (table: TableClient, now: Date): Promise<void> => {
  // After every entry of that very time, whose keys go on with a !.
  const from = `${trailKeyAt(now.getTime() - TRAIL_DAYS * DAY_MS)}"`;
  const filter = within({ from, to: TRAIL.to });
  const pages = table.listEntities({ queryOptions: { filter, select: ['rowKey'] } });
  for await (const page of pages.byPage({ maxPageSize: PAGE })) {
    const actions = page.map(
      ({ rowKey = '' }): TransactionAction => ['delete', { partitionKey: PARTITION, rowKey }],
    );
    if (actions.length > 0) await table.submitTransaction(actions);
    return;
  }
};

/** The callers that commands declare, and the trail of their changes, in the table of the ledger. */
export const openCallerTable = (connection: StorageConnection): CallerStore => {
  const table = openTable(connection);

  const write: CallerStore['write'] = async (change, entry, version) => {
    const mark = { partitionKey: PARTITION, rowKey: VERSION };
    const trailKey = `${trailKeyAt(Date.parse(entry.at))}!${newId()}`;
    const trail: Entity = {
      partitionKey: PARTITION,
      rowKey: trailKey,
      caller: entry.caller,
      ...toColumns('json', JSON.stringify(entry)),
    };
    const written = await table
      .submitTransaction([
        version === '' ? ['create', mark] : ['update', mark, 'Replace', { etag: version }],
        'removed' in change
          ? ['delete', { partitionKey: PARTITION, rowKey: `${CALLERS.from}${change.removed}` }]
          : ['upsert', toEntity(change.caller), 'Replace'],
        ['create', trail],
      ])
      .catch(unlessChanged);
    // The answer of this very write can have been lost, and the SDK has repeated it.
    const isWritten =
      written !== undefined ||
      (await table.getEntity(PARTITION, trailKey).catch(unlessChanged)) !== undefined;
    // What fails here is deleted by a later change; this one is written.
    if (isWritten) await expireTrail(table, new Date(entry.at)).catch(() => undefined);
    return isWritten;
  };

  return {
    read: explained(() => readAll(table)),
    readForChange: explained(async () => {
      // Before the callers: a change in between is then refused, and not overwritten.
      const mark = await table.getEntity(PARTITION, VERSION).catch(unlessChanged);
      return { ...(await readAll(table)), version: mark?.etag ?? '' };
    }),
    write: explained(write),
    audit: explained(async (caller, after) => {
      const place = within({ from: after ?? TRAIL.from, to: TRAIL.to });
      const filter = caller === undefined ? place : `${place} and ${odata`caller eq ${caller}`}`;
      const found: Found[] = [];
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter } })) {
        if (found.length === PAGE) return toPage(found, found.at(-1)?.key);
        found.push({ key: entity.rowKey ?? '', entry: toEntry(entity) });
      }
      return toPage(found);
    }),
  };
};
