import { NO_TRACE_USE, type TraceUse } from '../ledger/trace-use.ts';
import type { TraceUses } from '../ports.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-trace';

/** One entity for each tenant. */
type Entity = { readonly partitionKey: string; readonly rowKey: string; readonly use: string };

/** The header Date of an answer of storage. */
const dateIn = (header: string | undefined): { readonly now?: Date } => {
  const now = new Date(header ?? '');
  return Number.isNaN(now.getTime()) ? {} : { now };
};

/** What was used of the message trace, in the table of the ledger. */
export const openTraceUseTable = (connection: StorageConnection): TraceUses => {
  const table = openTable(connection);
  return {
    read: explained(async (tenant) => {
      let date: string | undefined;
      try {
        const { use, etag } = await table.getEntity<Entity>(PARTITION, tenant, {
          onResponse: ({ headers }) => {
            date = headers.get('date');
          },
        });
        return { use: JSON.parse(use) as TraceUse, etag, ...dateIn(date) };
      } catch (error) {
        if (!isConflict(error)) throw error;
        return { use: NO_TRACE_USE, ...dateIn(error.response?.headers.get('date')) };
      }
    }),
    write: explained(async (tenant, use, etag) => {
      const entity = { partitionKey: PARTITION, rowKey: tenant, use: JSON.stringify(use) };
      try {
        if (etag === undefined) await table.createEntity<Entity>(entity);
        else await table.updateEntity<Entity>(entity, 'Replace', { etag });
        return true;
      } catch (error) {
        // Also where this very write was first and the SDK repeated it: then it counts twice, which does no harm.
        if (!isConflict(error)) throw error;
        return false;
      }
    }),
  };
};
