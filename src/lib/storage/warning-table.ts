import { randomUUID } from 'node:crypto';
import { odata, RestError } from '@azure/data-tables';
import type { RunClaim, RunClaimEntry, ToldWarning, WarningState } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { isMissingTable, openTable } from './open-table.ts';
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

const CONFLICTS = new Set([404, 409, 412]);

const isConflict = (error: unknown): boolean =>
  error instanceof RestError && CONFLICTS.has(error.statusCode ?? 0) && !isMissingTable(error);

/** Dates are written as text; these are their names. */
const DATES = new Set(['toldOn', 'startedAt', 'endedAt', 'since', 'queuedOn']);

/** Undefined where anyone has changed it in the table: then people are told once more. */
const read = <Kept>(entity: Readonly<Record<string, unknown>>): Kept | undefined => {
  try {
    return JSON.parse(fromColumns('json', entity), (name, value: unknown) =>
      DATES.has(name) && typeof value === 'string' ? new Date(value) : value,
    ) as Kept;
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
      const claim = read<RunClaim>(entity);
      return { ...(claim === undefined ? {} : { claim }), etag: entity.etag, write: entity.write };
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
      const told: ToldWarning[] = [];
      const filter = odata`PartitionKey eq ${PARTITION} and RowKey gt ${TOLD.from} and RowKey lt ${TOLD.to}`;
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter } })) {
        const one = read<ToldWarning>(entity);
        if (one !== undefined) told.push(one);
      }
      return told;
    }),
    write: explained(async (told) => {
      await table.upsertEntity<Entity>(
        {
          partitionKey: PARTITION,
          rowKey: keyOf(told.key),
          ...toColumns('json', JSON.stringify(told)),
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
    writeClaim: explained(async (claim, etag) => {
      const entity = {
        partitionKey: PARTITION,
        rowKey: RUN,
        write: randomUUID(),
        ...toColumns('json', JSON.stringify(claim)),
      };
      try {
        const written =
          etag === undefined
            ? await table.createEntity<RunEntity>(entity)
            : await table.updateEntity<RunEntity>(entity, 'Replace', { etag });
        if (written.etag) return { isOwn: true, entry: { claim, etag: written.etag } };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const { write, ...entry } = await findClaim();
      return { isOwn: write === entity.write, entry };
    }),
    lastRun: explained(async () => (await readClaim()).claim?.lastRun),
  };
};
