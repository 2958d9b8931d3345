import { randomUUID } from 'node:crypto';
import type { RotationEntry, RotationState, Rotations } from '../ports.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-rotation';

/** One entity for each connection; `state` is JSON. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
};

/** How far the relay is with the client secrets that it makes, in the table of the ledger. */
export const openRotationTable = (connection: StorageConnection): Rotations => {
  const table = openTable(connection);

  const find = async (rowKey: string): Promise<RotationEntry & { readonly write?: string }> => {
    try {
      const { etag, write, ...columns } = await table.getEntity<Entity>(PARTITION, rowKey);
      return { state: JSON.parse(fromColumns('state', columns)) as RotationState, etag, write };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return {};
    }
  };

  return {
    read: explained(async (name) => {
      const { write: _, ...entry } = await find(name);
      return entry;
    }),
    write: explained(async (name, state, etag) => {
      const entity: Entity = {
        partitionKey: PARTITION,
        rowKey: name,
        write: randomUUID(),
        ...toColumns('state', JSON.stringify(state)),
      };
      try {
        const written =
          etag === undefined
            ? await table.createEntity<Entity>(entity)
            : await table.updateEntity<Entity>(entity, 'Replace', { etag });
        if (written.etag) return written.etag;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const found = await find(name);
      return found.write === entity.write ? found.etag : undefined;
    }),
  };
};
