import type { Shelf } from './ledger-index.ts';
import type { LedgerRow } from './ledger-row.ts';

/** A row and the version it was read at, which only the ledger understands. */
export type LedgerEntry = { readonly row: LedgerRow; readonly etag: string };

/**
 * The book of every mail. Writes are conditional: `create` and `replace` give undefined when somebody else was
 * first, and then nothing was written. All throw only when storage fails.
 */
export type Ledger = {
  readonly find: (mailId: string) => Promise<LedgerEntry | undefined>;
  readonly create: (row: LedgerRow) => Promise<LedgerEntry | undefined>;
  readonly replace: (row: LedgerRow, etag: string) => Promise<LedgerEntry | undefined>;
  /**
   * The ids of mails that have not ended, accepted before a time; for the sweep. What it costs depends on how many there
   * are, never on the size of the ledger. `turn` varies where it begins, so that a sweep that has to stop early, as
   * `isOver` says, does not always leave the same ones.
   */
  readonly listOpen: (
    shelf: Exclude<Shelf, 'final'>,
    before: Date,
    turn: number,
    isOver: () => boolean,
  ) => AsyncIterable<string>;
  /**
   * Deletes mails that ended on a day before that of `before`, until `isOver` says that the time for it is; gives how many.
   * It begins where `turn` says.
   */
  readonly expire: (before: Date, turn: number, isOver: () => boolean) => Promise<number>;
  /**
   * Files mails of an earlier version of the ledger, which had no shelves, until `isOver`; gives how many. Goes on where it
   * ended the last time, and costs nothing once it has seen all. What cannot be filed is passed, and told to `onFailure`.
   */
  readonly fileEarlier: (
    isOver: () => boolean,
    onFailure: (mailId: string, failure: unknown) => void,
  ) => Promise<number>;
};
