import type { LedgerRow } from './ledger-row.ts';

/** A row and the version it was read at. */
export type LedgerEntry = { readonly row: LedgerRow; readonly etag: string };

/**
 * The book of every mail. Writes are conditional: `create` and `replace` give undefined when somebody else was
 * first, and then nothing was written. All throw only when storage fails.
 */
export type Ledger = {
  readonly find: (mailId: string) => Promise<LedgerEntry | undefined>;
  readonly create: (row: LedgerRow) => Promise<LedgerEntry | undefined>;
  readonly replace: (row: LedgerRow, etag: string) => Promise<LedgerEntry | undefined>;
  /** Rows in one of these states, last changed before `before`; for the sweep, not for every mail. */
  readonly list: (filter: LedgerFilter) => AsyncIterable<LedgerEntry>;
  /** Deletes rows of final states older than `before`; gives how many. */
  readonly expire: (before: Date) => Promise<number>;
};

type LedgerFilter = { readonly states: readonly LedgerRow['state'][]; readonly before: Date };
