import { odata, RestError, type TransactionAction } from '@azure/data-tables';
import * as z from 'zod';
import { defined } from '../defined.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { actIdsFrom, OPERATOR_ACTIONS, type OperatorAct } from '../ledger/operator-act.ts';
import type { OperatorTrail } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { fromColumns, toColumns } from './json-columns.ts';
import { isMissingTable, openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-operator-trail';
/** Acts by time, and beside them, by email, the ids of those about it. */
const ACT = { from: 'act!', to: 'act"' } as const;
const MAIL = 'mail!';

const PAGE = 50;
/** More acts about one email than anybody reads. */
const MOST_OF_MAIL = 50;
/** As the trail of callers: a year, and time to look at it after the year. */
const TRAIL_DAYS = 400;
const DAY_MS = 86_400_000;
/** Entities that one write deletes: acts, and the entries of their emails. */
const MOST_EXPIRED = 90;

type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [json: `json${string}`]: string;
};

const code = z.custom<ErrorCode>((value) => typeof value === 'string' && value in catalogue);
const schema = z.object({
  id: z.string(),
  at: z.string(),
  with: z.enum(['master key', 'Entra']),
  by: z.string(),
  action: z.enum(OPERATOR_ACTIONS),
  note: z.string().optional(),
  mails: z.array(z.object({ mailId: z.string(), outcome: z.union([z.literal('done'), code]).optional() })),
  failed: code.optional(),
});

/** Undefined where anyone has changed it in the table, or a later version wrote it. */
const toAct = (entity: Readonly<Record<string, unknown>>): OperatorAct | undefined => {
  try {
    const { mails, ...act } = schema.parse(JSON.parse(fromColumns('json', entity)));
    return { ...defined(act), mails: mails.map(defined) } as OperatorAct;
  } catch {
    return undefined;
  }
};

const toEntity = (act: OperatorAct): Entity => ({
  partitionKey: PARTITION,
  rowKey: `${ACT.from}${act.id}`,
  ...toColumns('json', JSON.stringify(act)),
});

const within = (from: string, to: string): string =>
  odata`PartitionKey eq ${PARTITION} and RowKey gt ${from} and RowKey lt ${to}`;

/** What operators did, in the table of the ledger. */
export const openOperatorTrail = (connection: StorageConnection): OperatorTrail => {
  const table = openTable(connection);

  const find: OperatorTrail['find'] = async (id) => {
    try {
      return toAct(await table.getEntity<Entity>(PARTITION, `${ACT.from}${id}`));
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404 && !isMissingTable(error)) return undefined;
      throw error;
    }
  };

  /** Another instance may have been faster. */
  const remove = async (rowKey: string): Promise<void> => {
    try {
      await table.deleteEntity(PARTITION, rowKey);
    } catch (error) {
      if (!(error instanceof RestError && error.statusCode === 404) || isMissingTable(error)) throw error;
    }
  };

  /** Deletes some of what is older than the trail goes back; the next act deletes more. */
  const expire = async (now: Date): Promise<void> => {
    const filter = within(`${ACT.from}${actIdsFrom(new Date(now.getTime() - TRAIL_DAYS * DAY_MS))}`, ACT.to);
    const pages = table
      .listEntities<Entity>({ queryOptions: { filter } })
      .byPage({ maxPageSize: MOST_EXPIRED });
    for await (const page of pages) {
      // The act last: while it is there, the next act finds the entries of its emails by it.
      const keys = page.flatMap((entity) => [
        ...(toAct(entity)?.mails ?? []).map(
          ({ mailId }) => `${MAIL}${mailId}!${(entity.rowKey ?? '').slice(ACT.from.length)}`,
        ),
        entity.rowKey ?? '',
      ]);
      // One by one: of a transaction none would be deleted where one is gone.
      for (const rowKey of keys.slice(0, MOST_EXPIRED)) await remove(rowKey);
      return;
    }
  };

  return {
    begin: explained(async (act) => {
      const about = act.mails.map(
        ({ mailId }): TransactionAction => [
          'upsert',
          { partitionKey: PARTITION, rowKey: `${MAIL}${mailId}!${act.id}` },
        ],
      );
      await table.submitTransaction([['upsert', toEntity(act)], ...about]);
      await expire(new Date(act.at)).catch(() => undefined);
    }),
    finish: explained(async (act) => {
      await table.upsertEntity(toEntity(act), 'Replace');
    }),
    find: explained(find),
    list: explained(async (after) => {
      const filter = within(after === undefined ? ACT.from : `${ACT.from}${after}`, ACT.to);
      const acts: OperatorAct[] = [];
      let last: string | undefined;
      for await (const entity of table.listEntities<Entity>({ queryOptions: { filter } })) {
        if (acts.length === PAGE) return { acts, ...defined({ next: last }) };
        last = entity.rowKey?.slice(ACT.from.length);
        const act = toAct(entity);
        if (act !== undefined) acts.push(act);
      }
      return { acts };
    }),
    ofMail: explained(async (mailId) => {
      const ids: string[] = [];
      const filter = within(`${MAIL}${mailId}!`, `${MAIL}${mailId}"`);
      for await (const { rowKey = '' } of table.listEntities({ queryOptions: { filter } })) {
        ids.push(rowKey.slice(rowKey.lastIndexOf('!') + 1));
        if (ids.length === MOST_OF_MAIL) break;
      }
      return (await Promise.all(ids.map(find))).filter((act) => act !== undefined);
    }),
  };
};
