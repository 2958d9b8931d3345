import { odata, RestError, type TableEntityResult } from '@azure/data-tables';
import { namesOfStates, readRow } from '../ledger/earlier-row.ts';
import type { Ledger, LedgerEntry } from '../ledger/ledger.ts';
import { FINAL_STATES, type LedgerRow } from '../ledger/ledger-row.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** What is asked for by itself has columns of its own; the row as a whole is JSON, in as many columns as it takes. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly state: string;
  readonly changedAt: Date;
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
  changedAt: new Date(row.updatedAt),
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

const toEntry = (entity: TableEntityResult<Entity>): LedgerEntry => ({
  row: readRow(fromColumns(entity)),
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

export const openLedgerTable = (connection: StorageConnection): Ledger => {
  const table = openTable(connection);
  const query = (filter: string) => table.listEntities<Entity>({ queryOptions: { filter } });
  const statesFilter = (states: readonly LedgerRow['state'][]) =>
    `(${namesOfStates(states)
      .map((state) => odata`state eq ${state}`)
      .join(' or ')})`;

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
