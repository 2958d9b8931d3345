import { odata, RestError } from '@azure/data-tables';
import * as z from 'zod';
import { defined } from '../defined.ts';
import type { RelaySample } from '../metrics/relay-sample.ts';
import type { Samples } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-samples';
/** The largest time of a Date: what is taken from it is smaller the later it was. */
const END_OF_TIME = 8_640_000_000_000_000;
const DAY_MS = 86_400_000;

/** What is kept is JSON in `sample`, `sample1` ... and, apart, in `mailboxes`, `mailboxes1` ... */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [column: `sample${string}` | `mailboxes${string}`]: string;
};

/** Columns of a sample without its mailboxes: 50 queues and 100 credentials fit into two. */
const WITHOUT_MAILBOXES = ['sample', 'sample1', 'sample2'];

/** Newest first. */
const keyAt = (time: Date): string => String(END_OF_TIME - time.getTime()).padStart(16, '0');

const time = z.iso.datetime();
const count = z.number();
const sampleSchema = z.object({
  at: time,
  queues: z.array(z.object({ queue: z.string(), messages: count.optional(), waitingSince: time.optional() })),
  poisonMessages: count.optional(),
  held: z.object({ count, hasMore: z.boolean() }).optional(),
  credentials: z
    .object({
      readAt: time,
      all: z.array(
        z.object({ credential: z.string(), kind: z.enum(['secret', 'certificate']), expiresOn: time }),
      ),
    })
    .optional(),
  totals: z
    .object({
      accepted: count,
      sent: count,
      rejected: count,
      held: count,
      graphRequests: count,
      graphWasted: count,
    })
    .optional(),
});
const mailboxesSchema = z.array(
  z.object({
    address: z.string(),
    minute: count,
    day: count,
    sentLastDay: count,
    recipientsLastDay: count,
    pausedUntil: time.optional(),
    pausesLastDay: count,
  }),
);

/** Undefined where somebody has changed it in the table, or another version wrote it. */
const read = (entity: Readonly<Record<string, unknown>>): RelaySample | undefined => {
  try {
    const sample = sampleSchema.parse(JSON.parse(fromColumns('sample', entity)));
    const mailboxes = fromColumns('mailboxes', entity);
    return defined({
      ...sample,
      mailboxes: mailboxes === '' ? undefined : mailboxesSchema.parse(JSON.parse(mailboxes)),
    }) as RelaySample;
  } catch {
    return undefined;
  }
};

/** Samples of the relay, in the table of the ledger. */
export const openSamplesTable = (connection: StorageConnection): Samples => {
  const table = openTable(connection);

  return {
    lastDay: explained(async (now) => {
      const [from, to] = [keyAt(now), keyAt(new Date(now.getTime() - DAY_MS))];
      const filter = odata`PartitionKey eq ${PARTITION} and RowKey ge ${from} and RowKey le ${to}`;
      const samples: RelaySample[] = [];
      const select = [...WITHOUT_MAILBOXES];
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter, select } })) {
        const sample = read(entity);
        if (sample !== undefined) samples.push(sample);
      }
      return samples;
    }),
    newest: explained(async () => {
      const filter = odata`PartitionKey eq ${PARTITION}`;
      const pages = table.listEntities<Entity>({ queryOptions: { filter } }).byPage({ maxPageSize: 1 });
      for await (const [entity] of pages) if (entity !== undefined) return read(entity);
      return undefined;
    }),
    write: explained(async ({ mailboxes, ...sample }) => {
      await table.upsertEntity<Entity>(
        {
          partitionKey: PARTITION,
          rowKey: keyAt(new Date(sample.at)),
          ...toColumns('sample', JSON.stringify(sample)),
          ...(mailboxes === undefined ? {} : toColumns('mailboxes', JSON.stringify(mailboxes))),
        },
        'Replace',
      );
    }),
    expire: explained(async (before) => {
      const filter = odata`PartitionKey eq ${PARTITION} and RowKey gt ${keyAt(before)}`;
      for await (const { rowKey = '' } of table.listEntities({
        queryOptions: { filter, select: ['rowKey'] },
      }))
        await table.deleteEntity(PARTITION, rowKey).catch((error: unknown) => {
          // Another run was first.
          if (!(error instanceof RestError && error.statusCode === 404)) throw error;
        });
    }),
  };
};
