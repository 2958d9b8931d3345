import { AppError } from '../errors.ts';
import { type InState, isIn } from '../ledger/ledger-row.ts';
import { withdraw } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';

/**
 * Storage failed while an email was put on the queue, and its message may be there all the same. Only where the email
 * can be taken back may the caller be told that sending again is safe. Returns when another invocation has taken the
 * message already: then the email is accepted. Throws MAIL_NOT_STORED, or OUTCOME_UNKNOWN where not even that is known.
 */
export const takeBack = async (
  { ledger, clock }: Pick<Ports, 'ledger' | 'clock'>,
  { row, etag }: LedgerEntry<InState<'queued' | 'sending'>>,
  cause: unknown,
): Promise<void> => {
  const withdrawn = withdraw(row, { code: 'MAIL_NOT_STORED' }, clock.now());
  try {
    const written = await ledger.replace(withdrawn, etag);
    const found = written ?? (await ledger.find(row.facts.mailId));
    // A write of this attempt whose answer was lost; whoever had taken the message would have another turn.
    const isStale =
      found !== undefined &&
      isIn(found.row, 'sending') &&
      isIn(row, 'sending') &&
      found.row.progress.turn === row.progress.turn;
    const changed = isStale ? await ledger.replace(withdrawn, found.etag) : found;
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
  throw new AppError('MAIL_NOT_STORED', { cause });
};
