import { dueFrom, isFinal, isUntold, type LedgerRow } from './ledger-row.ts';

/**
 * Where a mail is filed, so that the sweep finds what is due without reading the ledger: what no message would bring back, which is an
 * attempt that a caller waits for or an event that could not be told; any other mail that has not ended; and one that has.
 */
export type Shelf = 'attempt' | 'open' | 'final';

export const shelfOf = (row: LedgerRow): Shelf => {
  if (isUntold(row)) return 'attempt';
  if (isFinal(row)) return 'final';
  return row.fate.state === 'sending' && !row.progress.inQueue ? 'attempt' : 'open';
};

/** Ended mails expire by the day; the others are due by the moment they are to be sent, which only a limit can move. */
const timeOf = (row: LedgerRow): string =>
  isFinal(row) && !isUntold(row)
    ? row.progress.updatedAt.slice(0, 10)
    : isFinal(row)
      ? row.progress.updatedAt
      : dueFrom(row);

/** The key under which a mail is filed: the shelf, then the time, so that what is due is one range of keys. */
export const indexKeyOf = (row: LedgerRow): string => `${shelfOf(row)}!${timeOf(row)}!${row.facts.mailId}`;

/** The keys of everything on a shelf from before a time: at least `from` and less than `to`. */
export const keysBefore = (shelf: Shelf, before: Date): { readonly from: string; readonly to: string } => {
  const time = before.toISOString();
  return { from: `${shelf}!`, to: `${shelf}!${shelf === 'final' ? time.slice(0, 10) : time}` };
};

export const mailIdOfIndexKey = (key: string): string => key.slice(key.lastIndexOf('!') + 1);
