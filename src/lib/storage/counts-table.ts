import { randomUUID } from 'node:crypto';
import { odata, type TableClient, type TableEntityResult, type TransactionAction } from '@azure/data-tables';
import * as z from 'zod';
import { combineUses } from '../metrics/mailbox-use.ts';
import { NOTHING_COUNTED, plus, type Tally } from '../metrics/tally.ts';
import type { Counted, Counts } from '../ports.ts';
import { unlessChanged } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-metrics';
/** What instances counted that write no more. */
const TOGETHER = 'together';
const INSTANCES = { from: 'instance!', to: 'instance"' } as const;

/** What was counted is JSON in `tally`, `tally1` ... and `mailboxes`, `mailboxes1` ... */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** It counts in the row of all together, and is kept so that its instance can learn that. */
  readonly isFolded: boolean;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
  readonly [column: `tally${string}` | `mailboxes${string}`]: string;
};
type Found = TableEntityResult<Entity>;

const number = z.number().nonnegative();
const slots = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value);
const tallySchema = z.object({
  counts: slots(number),
  distributions: slots(z.object({ buckets: z.array(number), sum: number })),
});
const mailboxesSchema = z.array(
  z.object({
    address: z.string(),
    minutes: slots(number),
    hours: slots(z.object({ mails: number, recipients: number, pauses: number })),
    pausedUntil: number,
  }),
);

/** Nothing, where somebody has changed the row in the table: the other instances still count. */
const readOr = <Kept>(schema: z.ZodType, json: string, nothing: Kept): Kept => {
  try {
    return schema.parse(JSON.parse(json)) as Kept;
  } catch {
    return nothing;
  }
};

const tallyOf = (entity: Found): Tally => readOr(tallySchema, fromColumns('tally', entity), NOTHING_COUNTED);

const countedOf = (entity: Found): Counted => ({
  tally: tallyOf(entity),
  mailboxes: readOr(mailboxesSchema, fromColumns('mailboxes', entity), []),
});

const toEntity = (rowKey: string, { tally, mailboxes }: Counted, isFolded = false): Entity => ({
  partitionKey: PARTITION,
  rowKey,
  isFolded,
  write: randomUUID(),
  ...toColumns('tally', JSON.stringify(tally)),
  ...toColumns('mailboxes', JSON.stringify(mailboxes)),
});

/** A transaction has at most 100 changes and 4 MiB (Performing entity group transactions). */
const FOLDED_AT_ONCE = 25;
/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 5;

const DAY_MS = 86_400_000;
/** How long after it was folded an instance can still learn of it. */
const KNOWN_FOR_MS = 2 * DAY_MS;

/** What instances have counted, in the table of the ledger. */
export const openCountsTable = (connection: StorageConnection): Counts => {
  const table = openTable(connection);
  /** The version of the row of each instance, as this process wrote it. */
  const versions = new Map<string, string>();

  const find = (rowKey: string) => table.getEntity<Entity>(PARTITION, rowKey).catch(unlessChanged);

  const tryToWrite = (entity: Entity, etag: string | undefined) =>
    (etag === undefined
      ? table.createEntity<Entity>(entity)
      : table.updateEntity<Entity>(entity, 'Replace', { etag })
    ).catch(unlessChanged);

  const write: Counts['write'] = async (instance, counted, isFirst) => {
    const rowKey = `${INSTANCES.from}${instance}`;
    const entity = toEntity(rowKey, counted);
    let etag = versions.get(instance);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const isKnown = etag !== undefined || isFirst;
      const written = isKnown ? await tryToWrite(entity, etag) : undefined;
      if (written?.etag) {
        versions.set(instance, written.etag);
        return 'written';
      }
      // The answer of an earlier write of this instance was lost, or the instance was folded.
      const stored = await find(rowKey);
      if (stored === undefined) {
        if (!isFirst) return 'gone';
        etag = undefined;
        continue;
      }
      if (stored.isFolded) return { folded: tallyOf(stored) };
      etag = stored.etag;
      versions.set(instance, etag);
      if (stored.write === entity.write) return 'written';
    }
    throw new Error('the row of this instance changed again and again while it was written');
  };

  return {
    write: explained(write),
    read: explained(async () => {
      for (let race = 0; race < MAX_RACES; race += 1) {
        const rows = await listCounting(table);
        // Several pages are not read at one time: what was folded in between is in both, or in neither.
        if ((await find(TOGETHER))?.etag === rows.find(({ rowKey }) => rowKey === TOGETHER)?.etag)
          return together(rows);
      }
      throw new Error('counts were folded again and again while they were read');
    }),
    fold: explained(async (before) => {
      await forgetFolded(table, new Date(before.getTime() - KNOWN_FOR_MS));
      const silent = (await listCounting(table)).filter(
        ({ rowKey = '', timestamp = '' }) => rowKey !== TOGETHER && new Date(timestamp) < before,
      );
      let folded = 0;
      for (let start = 0; start < silent.length; start += FOLDED_AT_ONCE)
        folded += await fold(table, silent.slice(start, start + FOLDED_AT_ONCE));
      return folded;
    }),
  };
};

const listCounting = async (table: TableClient): Promise<readonly Found[]> => {
  const filter = odata`PartitionKey eq ${PARTITION} and isFolded eq ${false}`;
  const rows: Found[] = [];
  for await (const row of table.listEntities<Entity>({ queryOptions: { filter } })) rows.push(row);
  return rows;
};

const together = (rows: readonly Found[]): Counted => {
  const all = rows.map(countedOf);
  return {
    tally: all.reduce((sum, { tally }) => plus(sum, tally), NOTHING_COUNTED),
    mailboxes: combineUses(all.flatMap(({ mailboxes }) => mailboxes)),
  };
};

/**
 * Adds rows to that of all together and marks them, all or none: one that its instance writes at this moment is not what it was, and the
 * next run folds it. What was sent from mailboxes is left out, as it only counts for a day.
 */
const fold = async (table: TableClient, silent: readonly Found[]): Promise<number> => {
  const known = await table.getEntity<Entity>(PARTITION, TOGETHER).catch(unlessChanged);
  const tally = silent.map(tallyOf).reduce(plus, known === undefined ? NOTHING_COUNTED : tallyOf(known));
  const sum = toEntity(TOGETHER, { tally, mailboxes: [] });
  const actions: TransactionAction[] = [
    known === undefined ? ['create', sum] : ['update', sum, 'Replace', { etag: known.etag }],
    ...silent.map((row): TransactionAction => {
      const marked = toEntity(row.rowKey ?? '', { tally: tallyOf(row), mailboxes: [] }, true);
      return ['update', marked, 'Replace', { etag: row.etag }];
    }),
  ];
  return (await table.submitTransaction(actions).catch(unlessChanged)) === undefined ? 0 : silent.length;
};

/** Deletes the rows of instances that were folded long ago. */
const forgetFolded = async (table: TableClient, before: Date): Promise<void> => {
  const filter = odata`PartitionKey eq ${PARTITION} and isFolded eq ${true}`;
  const rows = table.listEntities({ queryOptions: { filter, select: ['rowKey', 'timestamp'] } });
  for await (const { rowKey = '', timestamp = '' } of rows)
    if (new Date(timestamp) < before) await table.deleteEntity(PARTITION, rowKey).catch(unlessChanged);
};
