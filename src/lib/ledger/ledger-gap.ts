import type { LedgerRow, MailFacts } from './ledger-row.ts';
import { isIn } from './ledger-row.ts';

/** What a ledger that was restored does not know. */
export type LedgerGap = {
  /** When it was restored: what happened after its backup and before this time is not in it. */
  readonly until: Date;
  /** Until when a caller may repeat a request of before, by the idempotency key of an email that is missing here. */
  readonly repeatsUntil: Date;
};

type Known = Pick<MailFacts, 'acceptedAt' | 'keyHash'>;

/** Whether an email can have been sent without a trace in the ledger: nobody has looked for it since the ledger was restored. */
export const isInGap = (
  { acceptedAt, keyHash }: Known,
  soughtAt: string | undefined,
  gap: LedgerGap | undefined,
): boolean => {
  if (gap === undefined || (soughtAt !== undefined && Date.parse(soughtAt) >= gap.until.getTime()))
    return false;
  const accepted = Date.parse(acceptedAt);
  // A repeat of a request is as young as its last time, and its key alone says that it may be old.
  return accepted < gap.until.getTime() || (keyHash !== undefined && accepted < gap.repeatsUntil.getTime());
};

/** As `isInGap`, for a row: what it says is from before, and no proof of anything after. */
export const isRowInGap = ({ facts, progress }: LedgerRow, gap: LedgerGap | undefined): boolean =>
  isInGap(facts, progress.soughtAt, gap);

/**
 * Whether a message proves by itself that the ledger has lost writes, also where nobody said so: it was written after its row, and the row
 * never heard of it. Of a row that is `sending` or `held` that is how a crash looks.
 */
export const isAheadOf = (
  row: LedgerRow | undefined,
  { turn, phase }: { readonly turn: number; readonly phase: 'send' | 'look-up' },
): boolean =>
  row === undefined
    ? turn > 0 || phase === 'look-up'
    : turn > row.progress.turn && isIn(row, 'queued', 'deferred', 'unknown');
