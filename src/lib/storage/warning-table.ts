import { randomUUID } from 'node:crypto';
import { odata } from '@azure/data-tables';
import * as z from 'zod';
import { defined } from '../defined.ts';
import type { RunClaim, RunClaimEntry, ToldWarning, WarningState } from '../ports.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-warnings';
const RUN = 'run';
const TOLD = { from: 'told!', to: 'told"' } as const;

/** What is kept is in `json`, `json1` ... */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [json: `json${string}`]: string;
};
/** `write` is of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
type RunEntity = Entity & { readonly write: string };

const date = z.iso.datetime().transform((text) => new Date(text));
const channels = z.array(z.enum(['mail', 'webhook', 'log']));
const told = z.object({
  key: z.string(),
  mark: z.string(),
  toldOn: date,
  daysLeft: z.number().optional(),
  channels,
  reached: channels,
  mails: z.array(
    z.object({
      mailId: z.string(),
      queuedOn: date,
      to: z.enum(['recipients', 'owner']),
      state: z.enum(['waits', 'arrived', 'lost']),
    }),
  ),
});
const lastRun = z.object({
  startedAt: date,
  endedAt: date,
  secrets: z.number(),
  warnings: z.number(),
  told: z.number(),
  undelivered: z.number(),
  unproven: z.array(z.object({ connection: z.string(), since: date })),
  failure: z.string().optional(),
});
const claim = z.object({
  id: z.string(),
  startedAt: date,
  state: z.enum(['running', 'failed', 'over']),
  // Without it, the next run only knows less of the one before.
  lastRun: lastRun.optional().catch(undefined),
});

/** Undefined where anyone has changed it in the table, or another version wrote it: then people are told once more. */
const read = <Kept>(schema: z.ZodType, entity: Readonly<Record<string, unknown>>): Kept | undefined => {
  try {
    return defined(schema.parse(JSON.parse(fromColumns('json', entity))) as object) as Kept;
  } catch {
    return undefined;
  }
};

const keyOf = (key: string): string => `${TOLD.from}${key}`;

/** What people were told of credentials, in the table of the ledger. */
export const openWarningTable = (connection: StorageConnection): WarningState => {
  const table = openTable(connection);

  const findClaim = async (): Promise<RunClaimEntry & { readonly write?: string }> => {
    try {
      const entity = await table.getEntity<RunEntity>(PARTITION, RUN);
      return { ...defined({ claim: read<RunClaim>(claim, entity) }), etag: entity.etag, write: entity.write };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return {};
    }
  };
  const readClaim = async (): Promise<RunClaimEntry> => {
    const { write: _, ...entry } = await findClaim();
    return entry;
  };

  return {
    list: explained(async () => {
      const all: ToldWarning[] = [];
      const filter = odata`PartitionKey eq ${PARTITION} and RowKey gt ${TOLD.from} and RowKey lt ${TOLD.to}`;
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter } })) {
        const one = read<ToldWarning>(told, entity);
        // By another key, it could never be written again.
        if (one !== undefined && keyOf(one.key) === entity.rowKey) all.push(one);
      }
      return all;
    }),
    write: explained(async (one) => {
      await table.upsertEntity<Entity>(
        {
          partitionKey: PARTITION,
          rowKey: keyOf(one.key),
          ...toColumns('json', JSON.stringify(one)),
        },
        'Replace',
      );
    }),
    forget: explained(async (key) => {
      await table.deleteEntity(PARTITION, keyOf(key)).catch((error: unknown) => {
        if (!isConflict(error)) throw error;
      });
    }),
    readClaim: explained(readClaim),
    writeClaim: explained(async (next, etag) => {
      const entity = {
        partitionKey: PARTITION,
        rowKey: RUN,
        write: randomUUID(),
        ...toColumns('json', JSON.stringify(next)),
      };
      try {
        const written =
          etag === undefined
            ? await table.createEntity<RunEntity>(entity)
            : await table.updateEntity<RunEntity>(entity, 'Replace', { etag });
        if (written.etag) return { isOwn: true, entry: { claim: next, etag: written.etag } };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const { write, ...entry } = await findClaim();
      return { isOwn: write === entity.write, entry };
    }),
    lastRun: explained(async () => (await readClaim()).claim?.lastRun),
  };
};
