import { createHash, randomUUID } from 'node:crypto';
import type { BudgetEntry, RecipientBudgets } from '../ports.ts';
import { EMPTY_BUDGET, type RecipientBudget } from '../sending/recipient-budget.ts';
import { isConflict } from './conflict.ts';
import { explained } from './explain-failures.ts';
import { openTable } from './open-table.ts';
import type { StorageConnection } from './storage-connection.ts';

/** Sorts after the key of the relay, so that it does not look like a row of the ledger (relay-key.ts). */
const PARTITION = 'relay-recipients';
/** Emails wait for this. */
const TIMEOUT_MS = 3000;

/** One entity for each tenant and kind of budget, for ever: there are few. */
type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly budget: string;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
};

/** A name of a tenant can have characters that a key cannot. */
const keyOf = (tenant: string, kind: string): string =>
  `${kind}!${createHash('sha256').update(tenant).digest('base64url').slice(0, 22)}`;

/** What instances have taken of budgets of recipients, in the table of the ledger. */
export const openBudgetTable = (connection: StorageConnection): RecipientBudgets => {
  const table = openTable(connection);

  const find = async (rowKey: string): Promise<{ readonly entry: BudgetEntry; readonly write?: string }> => {
    const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const { budget, write, etag } = await table.getEntity<Entity>(PARTITION, rowKey, { abortSignal });
      return { entry: { budget: JSON.parse(budget) as RecipientBudget, etag }, write };
    } catch (error) {
      if (!isConflict(error)) throw error;
      return { entry: { budget: EMPTY_BUDGET } };
    }
  };

  return {
    read: explained(async (tenant, kind) => (await find(keyOf(tenant, kind))).entry),
    write: explained(async (tenant, kind, budget, etag) => {
      const rowKey = keyOf(tenant, kind);
      const entity: Entity = {
        partitionKey: PARTITION,
        rowKey,
        budget: JSON.stringify(budget),
        write: randomUUID(),
      };
      const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
      try {
        const written =
          etag === undefined
            ? await table.createEntity<Entity>(entity, { abortSignal })
            : await table.updateEntity<Entity>(entity, 'Replace', { etag, abortSignal });
        if (written.etag) return { isOwn: true, entry: { budget, etag: written.etag } };
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
      const { entry, write } = await find(rowKey);
      return { isOwn: write === entity.write, entry };
    }),
  };
};
