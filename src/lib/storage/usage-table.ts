import { randomUUID } from 'node:crypto';
import { odata } from '@azure/data-tables';
import type { UsageEntry, Usages } from '../ports.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-usage';

/** One entity for each caller and day. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly mails: number;
  readonly recipients: number;
  readonly isTold: boolean;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
};

const keyOf = (day: string, caller: string): string => `${day}!${caller}`;

/** What instances have taken of the limits of callers, in the table of the ledger. */
export const openUsageTable = (connection: StorageConnection): Usages => {
  const table = openTable(connection);

  const find = async (rowKey: string): Promise<{ readonly entry: UsageEntry; readonly write?: string }> => {
    try {
      const { mails, recipients, isTold, write, etag } = await table.getEntity<Entity>(PARTITION, rowKey);
      return { entry: { taken: { mails, recipients }, isTold, etag }, write };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return { entry: { taken: { mails: 0, recipients: 0 }, isTold: false } };
    }
  };

  return {
    read: explained(async (day, caller) => (await find(keyOf(day, caller))).entry),
    write: explained(async (day, caller, { taken, isTold }, etag) => {
      const rowKey = keyOf(day, caller);
      const { mails, recipients } = taken;
      const entity = { partitionKey: PARTITION, rowKey, mails, recipients, isTold, write: randomUUID() };
      try {
        const written =
          etag === undefined
            ? await table.createEntity<Entity>(entity)
            : await table.updateEntity<Entity>(entity, 'Replace', { etag });
        if (written.etag)
          return { isOwn: true, entry: { taken: { mails, recipients }, isTold, etag: written.etag } };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const { entry, write } = await find(rowKey);
      return { isOwn: write === entity.write, entry };
    }),
    expire: explained(async (day) => {
      const filter = odata`PartitionKey eq ${PARTITION} and RowKey lt ${day}`;
      for await (const { rowKey } of table.listEntities({ queryOptions: { filter, select: ['rowKey'] } }))
        await table.deleteEntity(PARTITION, rowKey ?? '').catch((error: unknown) => {
          // Another sweep was first.
          if (!isConflict(error)) throw error;
        });
    }),
  };
};
