import { RestError } from '@azure/data-tables';
import type { Heartbeats } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-heartbeats';

/** When what runs by itself last ended well, in the table of the ledger. */
export const openHeartbeatTable = (connection: StorageConnection): Heartbeats => {
  const table = openTable(connection);
  return {
    read: explained(async (name) => {
      try {
        const { endedAt } = await table.getEntity<{ readonly endedAt: string }>(PARTITION, name);
        return new Date(endedAt);
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404 && !isMissingTable(error))
          return undefined;
        throw error;
      }
    }),
    note: explained(async (name, endedAt) => {
      const entity = { partitionKey: PARTITION, rowKey: name, endedAt: endedAt.toISOString() };
      // Of two sweeps at the same time, either is as good.
      await table.upsertEntity(entity, 'Replace');
    }),
  };
};
