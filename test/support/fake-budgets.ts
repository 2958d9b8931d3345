import type { BudgetEntry, Ports } from '../../src/lib/ports.ts';
import { EMPTY_BUDGET, type RecipientBudget } from '../../src/lib/sending/recipient-budget.ts';
import { saveMap } from './save.ts';

/** Budgets of recipients in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeBudgets = {
  readonly read: (tenant: string, kind: string) => BudgetEntry;
  readonly write: (
    tenant: string,
    kind: string,
    budget: RecipientBudget,
    etag: string | undefined,
  ) => { readonly isOwn: boolean; readonly entry: BudgetEntry };
  readonly save: () => () => void;
  readonly all: () => ReadonlyMap<string, BudgetEntry>;
};

export const makeFakeBudgets = (): FakeBudgets => {
  const entries = new Map<string, BudgetEntry>();
  const versions = new Map<string, number>();
  const read = (tenant: string, kind: string): BudgetEntry =>
    entries.get(`${tenant} ${kind}`) ?? { budget: EMPTY_BUDGET };
  return {
    read,
    write: (tenant, kind, budget, etag) => {
      if (read(tenant, kind).etag !== etag) return { isOwn: false, entry: read(tenant, kind) };
      const key = `${tenant} ${kind}`;
      const version = (versions.get(key) ?? 0) + 1;
      versions.set(key, version);
      const entry = { budget, etag: `"${version}"` };
      entries.set(key, entry);
      return { isOwn: true, entry };
    },
    save: () => {
      const back = [saveMap(entries), saveMap(versions)];
      return () => {
        for (const restore of back) restore();
      };
    },
    all: () => entries,
  };
};

/** The same as a port. */
export const budgetsIn = (budgets: FakeBudgets): Ports['recipientBudgets'] => ({
  read: async (...which) => budgets.read(...which),
  write: async (...which) => budgets.write(...which),
});
