import { createHash, randomUUID } from 'node:crypto';
import { odata } from '@azure/data-tables';
import { keyOfWatched, type PollState, type WatchedMailbox } from '../bounces/watched-mailbox.ts';
import { defined } from '../defined.ts';
import type { WatchedMailboxes } from '../ports.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-mailboxes';

/**
 * Two entities for each mailbox: who sends writes one, who polls the other, and neither keeps the other from writing. `write` is of
 * one write alone: by it a write whose answer was lost is known again when the SDK has repeated it.
 */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly write?: string;
  readonly [json: `json${string}`]: string;
};

/** An address can have characters that a key cannot. */
const hashOf = (mailbox: WatchedMailbox): string =>
  createHash('sha256').update(keyOfWatched(mailbox)).digest('base64url').slice(0, 22);
const sentKey = (mailbox: WatchedMailbox): string => `sent!${hashOf(mailbox)}`;
const readKey = (mailbox: WatchedMailbox): string => `read!${hashOf(mailbox)}`;

const read = <Kept>(entity: Readonly<Record<string, unknown>>): Kept | undefined => {
  try {
    return JSON.parse(fromColumns('json', entity)) as Kept;
  } catch {
    return undefined;
  }
};

/** The mailboxes whose reports are read, in the table of the ledger. */
export const openWatchedMailboxTable = (connection: StorageConnection): WatchedMailboxes => {
  const table = openTable(connection);
  const remove = async (rowKey: string) =>
    table.deleteEntity(PARTITION, rowKey).catch((error: unknown) => {
      if (!isConflict(error)) throw error;
    });

  return {
    note: explained(async (mailbox) => {
      const entity = {
        partitionKey: PARTITION,
        rowKey: sentKey(mailbox),
        ...toColumns('json', JSON.stringify(mailbox)),
      };
      await table.upsertEntity<Entity>(entity, 'Replace');
    }),
    list: explained(async () => {
      const mailboxes: WatchedMailbox[] = [];
      const states = new Map<string, { readonly state: PollState | undefined; readonly etag: string }>();
      const filter = odata`PartitionKey eq ${PARTITION}`;
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter } })) {
        const { rowKey = '', etag } = entity;
        if (rowKey.startsWith('read!')) states.set(rowKey, { state: read<PollState>(entity), etag });
        const mailbox = rowKey.startsWith('sent!') ? read<WatchedMailbox>(entity) : undefined;
        if (mailbox !== undefined) mailboxes.push(mailbox);
      }
      return mailboxes.map((mailbox) => ({ mailbox, ...defined(states.get(readKey(mailbox)) ?? {}) }));
    }),
    write: explained(async (mailbox, state, etag) => {
      const rowKey = readKey(mailbox);
      const write = randomUUID();
      const entity = { partitionKey: PARTITION, rowKey, write, ...toColumns('json', JSON.stringify(state)) };
      try {
        const written =
          etag === undefined
            ? await table.createEntity<Entity>(entity)
            : await table.updateEntity<Entity>(entity, 'Replace', { etag });
        if (written.etag) return written.etag;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const stored = await table.getEntity<Entity>(PARTITION, rowKey).catch((error: unknown) => {
        if (!isConflict(error)) throw error;
        return undefined;
      });
      return stored?.write === write ? stored.etag : undefined;
    }),
    forget: explained(async (mailbox) => {
      await remove(readKey(mailbox));
      await remove(sentKey(mailbox));
    }),
  };
};
