import { createHash, randomUUID } from 'node:crypto';
import { odata } from '@azure/data-tables';
import type { LaneEntry, MailboxLanes } from '../ports.ts';
import { laneOfText } from '../sending/lane-json.ts';
import { EMPTY_LANE } from '../sending/mailbox-lane.ts';
import type { ServerTime } from '../sending/storage-clock.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-lanes';
/** Emails wait for this, and can do without it. */
const TIMEOUT_MS = 3000;

type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
  readonly [json: `json${string}`]: string;
};

/** An address can have characters that a key cannot. */
const keyOf = (mailbox: string): string =>
  createHash('sha256').update(mailbox).digest('base64url').slice(0, 22);

/** The ETag of a write says when storage made it. */
const timeIn = (etag: string | undefined): ServerTime | undefined => {
  const text = /datetime'([^']+)'/.exec(etag ?? '')?.[1];
  const at = new Date(decodeURIComponent(text ?? ''));
  return Number.isNaN(at.getTime()) ? undefined : { at, precisionMs: 1 };
};

/** The lanes of mailboxes, in the table of the ledger. */
export const openLaneTable = (connection: StorageConnection): MailboxLanes => {
  const table = openTable(connection);

  const find = async (
    rowKey: string,
  ): Promise<{ readonly entry: LaneEntry; readonly write?: string; readonly server?: ServerTime }> => {
    let server: ServerTime | undefined;
    const options = {
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      onResponse: ({ headers }: { readonly headers: { get(name: string): string | undefined } }) => {
        const at = new Date(headers.get('date') ?? '');
        if (!Number.isNaN(at.getTime())) server = { at, precisionMs: 1000 };
      },
    };
    try {
      const entity = await table.getEntity<Entity>(PARTITION, rowKey, options);
      return {
        entry: { lane: laneOfText(fromColumns('json', entity)), etag: entity.etag },
        write: entity.write,
        ...(server === undefined ? {} : { server }),
      };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return { entry: { lane: EMPTY_LANE }, ...(server === undefined ? {} : { server }) };
    }
  };

  return {
    read: explained(async (mailbox) => {
      const { entry, server } = await find(keyOf(mailbox));
      return { ...entry, ...(server === undefined ? {} : { server }) };
    }),
    write: explained(async (mailbox, lane, etag) => {
      const entity: Entity = {
        partitionKey: PARTITION,
        rowKey: keyOf(mailbox),
        write: randomUUID(),
        ...toColumns('json', JSON.stringify(lane)),
      };
      const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
      try {
        const written =
          etag === undefined
            ? await table.createEntity<Entity>(entity, { abortSignal })
            : await table.updateEntity<Entity>(entity, 'Replace', { etag, abortSignal });
        if (written.etag) {
          const server = timeIn(written.etag);
          return {
            isOwn: true,
            entry: { lane, etag: written.etag },
            ...(server === undefined ? {} : { server }),
          };
        }
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const { write, ...found } = await find(entity.rowKey);
      return { ...found, isOwn: write === entity.write };
    }),
    expire: explained(async (before) => {
      const filter = odata`PartitionKey eq ${PARTITION} and Timestamp lt ${before}`;
      const select = ['rowKey'];
      for await (const { rowKey, etag } of table.listEntities({ queryOptions: { filter, select } }))
        await table.deleteEntity(PARTITION, rowKey ?? '', { etag }).catch((error: unknown) => {
          // It was used since, or another sweep was first.
          if (!isConflict(error)) throw error;
        });
    }),
  };
};
