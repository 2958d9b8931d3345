import type { LedgerEntry } from '../ledger/ledger.ts';
import { type HeldRow, type LedgerRow, replay } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { decideOnUnknown } from '../sending/unknown-policy.ts';
import type { ConcludeNeeds } from './conclude-attempt.ts';
import { queueMail } from './queue-mail.ts';

/** Held by the sweep, when the process that had it and its caller was gone: its record is empty. */
export const isWithoutContent = (row: LedgerRow): row is HeldRow =>
  row.state === 'held' &&
  !row.inQueue &&
  (row.reason.code === 'MAIL_LOST' || row.reason.code === 'OUTCOME_UNKNOWN');

/**
 * Takes a mail that was held without its content from the caller who brings it again. Where it was looked for and
 * is not there, it goes on by the queue; else its record is completed, so that a person can decide.
 */
export const bringBackMail = async (
  needs: ConcludeNeeds,
  { row, etag }: LedgerEntry & { readonly row: HeldRow },
  {
    mail,
    envelope,
    original,
  }: { readonly mail: Mail; readonly envelope: Envelope; readonly original: unknown },
): Promise<LedgerRow> => {
  const { mailId, acceptedAt, reason, updatedAt } = row;
  const policy = { onUnknown: needs.onUnknown, resent: row.resent };
  if (reason.code === 'MAIL_LOST' && decideOnUnknown(mail, policy) === 'look-up') {
    const queued = replay(row, needs.now());
    await queueMail(needs, { ...envelope, turn: queued.turn }, 0);
    if ((await needs.ledger.replace(queued, etag)) !== undefined) return queued;
    return (await needs.ledger.find(mailId))?.row ?? queued;
  }
  // With the time of the sweep it takes the place of the empty record.
  await needs.storeHeld({ mailId, heldAt: updatedAt, acceptedAt, reason, original });
  return row;
};
