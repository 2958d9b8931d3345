import { AppError } from '../errors.ts';
import { type InState, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { recordUntold, withdraw } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';

/**
 * Storage failed while an email was put on the queue, and its message may be there all the same. Only where the email
 * can be taken back may the caller be told that sending again is safe. Returns when another invocation has taken the
 * message already: then the email is accepted. Throws MAIL_NOT_STORED, or OUTCOME_UNKNOWN where not even that is known.
 * Its event is left to the sweep: told here, before the row is written, it would be wrong where another invocation was first.
 */
export const takeBack = async (
  { ledger, clock, events }: Pick<Ports, 'ledger' | 'clock' | 'events'>,
  { row, etag }: LedgerEntry<InState<'queued' | 'sending'>>,
  cause: unknown,
): Promise<void> => {
  const withdrawAs = (known: InState<'queued' | 'sending'>, version: string) => {
    const withdrawn = withdraw(known, { code: 'MAIL_NOT_STORED' }, clock.now());
    return ledger.replace(events === undefined ? withdrawn : recordUntold(withdrawn), version);
  };
  try {
    const written = await withdrawAs(row, etag);
    const found = written ?? (await ledger.find(row.facts.mailId));
    const own = found === undefined ? undefined : ownAttempt(row, found.row);
    const changed = found !== undefined && own !== undefined ? await withdrawAs(own, found.etag) : found;
    // Or it was written before, and only the answer to that was lost.
    if (changed?.row.fate.state !== 'rejected') return;
  } catch {
    throw new AppError('OUTCOME_UNKNOWN', {
      mailId: row.facts.mailId,
      cause,
      detail:
        'The relay may have stored the email and may send it later. Get its state before you send it again.',
    });
  }
  throw new AppError('MAIL_NOT_STORED', { mailId: row.facts.mailId, cause });
};

/** The row as an attempt has written it that did not hear so. Whoever had taken the message would have another turn. */
const ownAttempt = (row: InState<'queued' | 'sending'>, found: LedgerRow): InState<'sending'> | undefined =>
  isIn(row, 'sending') && isIn(found, 'sending') && found.progress.turn === row.progress.turn
    ? found
    : undefined;
