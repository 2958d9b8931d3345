import type { Ledger, LedgerEntry } from '../../src/lib/ledger/ledger.ts';
import { isFinal, type LedgerRow } from '../../src/lib/ledger/ledger-row.ts';

type Synchronous<Call> = Call extends (...inputs: infer Inputs) => Promise<infer Value>
  ? (...inputs: Inputs) => Value
  : never;

/** The ledger in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeLedger = { readonly [Name in Exclude<keyof Ledger, 'list'>]: Synchronous<Ledger[Name]> } & {
  readonly list: (filter: Parameters<Ledger['list']>[0]) => readonly LedgerEntry[];
  readonly rows: () => readonly LedgerRow[];
};

/** `onWrite` sees every row that is written, beside the one it takes the place of. */
export const makeFakeLedger = (
  onWrite: (row: LedgerRow, before: LedgerRow | undefined) => void = () => undefined,
): FakeLedger => {
  const entries = new Map<string, LedgerEntry>();
  let version = 0;

  const write = (row: LedgerRow): LedgerEntry => {
    onWrite(row, entries.get(row.mailId)?.row);
    version += 1;
    // Through JSON, as the table does it: nothing that only lives in memory may be relied on.
    const entry = { row: JSON.parse(JSON.stringify(row)) as LedgerRow, etag: `"${version}"` };
    entries.set(row.mailId, entry);
    return entry;
  };
  const changedBefore = ({ row }: LedgerEntry, before: Date): boolean =>
    Date.parse(row.updatedAt) < before.getTime();

  return {
    find: (mailId) => entries.get(mailId),
    create: (row) => (entries.has(row.mailId) ? undefined : write(row)),
    replace: (row, etag) => (entries.get(row.mailId)?.etag === etag ? write(row) : undefined),
    list: ({ states, before }) =>
      [...entries.values()].filter(
        (entry) => states.includes(entry.row.state) && changedBefore(entry, before),
      ),
    expire: (before) => {
      const old = [...entries.values()].filter(
        (entry) => isFinal(entry.row.state) && changedBefore(entry, before),
      );
      for (const { row } of old) entries.delete(row.mailId);
      return old.length;
    },
    rows: () => [...entries.values()].map(({ row }) => row),
  };
};
