import { odata, RestError, TableClient, type TableEntityResult } from '@azure/data-tables';
import type { Ledger, LedgerEntry } from '../ledger/ledger.ts';
import { FINAL_STATES, type LedgerRow } from '../ledger/ledger-row.ts';
import { LEDGER_TABLE, STORAGE_RETRIES, type StorageConnection } from './storage-connection.ts';

/** What is asked for by itself stands in columns of its own; the row as a whole in one. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly state: string;
  readonly changedAt: Date;
  readonly row: string;
};

const openTable = (connection: StorageConnection): TableClient =>
  connection.kind === 'connection-string'
    ? TableClient.fromConnectionString(connection.connectionString, LEDGER_TABLE, {
        ...STORAGE_RETRIES,
        // Connection strings are for local work, where Azurite speaks plain HTTP.
        allowInsecureConnection: true,
      })
    : new TableClient(
        `https://${connection.accountName}.table.core.windows.net`,
        LEDGER_TABLE,
        connection.credential,
        STORAGE_RETRIES,
      );

/** The end of an id is random, its beginning is the time: so writes spread over 256 partitions. */
const partitionOf = (mailId: string): string => mailId.slice(-2);

const toEntity = (row: LedgerRow): Entity => ({
  partitionKey: partitionOf(row.mailId),
  rowKey: row.mailId,
  state: row.state,
  changedAt: new Date(row.updatedAt),
  row: JSON.stringify(row),
});

const toEntry = (entity: TableEntityResult<Entity>): LedgerEntry => ({
  row: JSON.parse(entity.row) as LedgerRow,
  etag: entity.etag,
});

const CONFLICTS = new Set([404, 409, 412]);

/** Undefined when the row is there already, or is no longer what it was: then nothing was written. */
const unlessChanged = (error: unknown): undefined => {
  if (error instanceof RestError && CONFLICTS.has(error.statusCode ?? 0) && !isMissingTable(error))
    return undefined;
  throw error;
};

const whenFirst = async (row: LedgerRow, write: Promise<{ readonly etag?: string }>) => {
  const written = await write.catch(unlessChanged);
  return written === undefined ? undefined : { row, etag: written.etag ?? '' };
};

const isMissingTable = (error: RestError): boolean => /TableNotFound/.test(`${error.code} ${error.message}`);

export const openLedgerTable = (connection: StorageConnection): Ledger => {
  const table = openTable(connection);
  const query = (filter: string) => table.listEntities<Entity>({ queryOptions: { filter } });
  const statesFilter = (states: readonly string[]) =>
    `(${states.map((state) => odata`state eq ${state}`).join(' or ')})`;

  return {
    find: async (mailId) => {
      try {
        return toEntry(await table.getEntity<Entity>(partitionOf(mailId), mailId));
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404 && !isMissingTable(error))
          return undefined;
        throw error;
      }
    },
    create: (row) => whenFirst(row, table.createEntity(toEntity(row))),
    replace: (row, etag) => whenFirst(row, table.updateEntity(toEntity(row), 'Replace', { etag })),
    list: async function* ({ states, before }) {
      for await (const entity of query(`${statesFilter(states)} and ${odata`changedAt lt ${before}`}`))
        yield toEntry(entity);
    },
    expire: async (before) => {
      let expired = 0;
      for await (const entity of query(
        `${statesFilter(FINAL_STATES)} and ${odata`changedAt lt ${before}`}`,
      )) {
        const { partitionKey, rowKey, etag } = entity;
        // A row that somebody changes at this moment is of use to somebody.
        const deleted = await table.deleteEntity(partitionKey, rowKey, { etag }).catch(unlessChanged);
        if (deleted !== undefined) expired += 1;
      }
      return expired;
    },
  };
};
