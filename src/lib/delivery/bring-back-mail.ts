import { reportOf } from '../errors.ts';
import type { InState, LedgerRow } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { completeHeld, replay } from '../ledger/transitions.ts';
import { isObject } from '../mail/absent.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { apartFromPriority } from '../mail/priority.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { decideOnUnknown } from '../sending/unknown-policy.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

/** Its row says with which it was accepted; that of the repeat can be another. */
const withoutPriority = (original: unknown): unknown =>
  isObject(original) ? apartFromPriority(original).content : original;

export type BringBackNeeds = QueueMailNeeds &
  Pick<Ports, 'ledger' | 'records' | 'clock'> & { readonly policy: Pick<SendPolicy, 'onUnknown'> };

/**
 * Takes an email that is held without its content from the caller who brings it again. Where it was certainly not sent
 * and lost, it goes on by the queue; else its record is completed, so that an operator can decide.
 */
export const bringBackMail = async (
  needs: BringBackNeeds,
  { row, etag }: LedgerEntry<InState<'held'>>,
  {
    mail,
    envelope,
    original,
  }: { readonly mail: Mail; readonly envelope: Envelope; readonly original: unknown },
): Promise<LedgerRow> => {
  const { mailId, acceptedAt, bodyHash } = row.facts;
  const { why, reason } = row.fate;
  const now = needs.clock.now();
  const { resent, way } = row.progress;
  const policy = { onUnknown: needs.policy.onUnknown, resent, way };
  if (why === 'lost-message' && decideOnUnknown(mail, policy) === 'look-up') {
    const queued = replay(row, bodyHash, now, { by: 'application' });
    await queueMail(needs, { ...envelope, turn: queued.progress.turn }, 0);
    if ((await needs.ledger.replace(queued, etag)) !== undefined) return queued;
    return (await needs.ledger.find(mailId))?.row ?? queued;
  }
  // With the time of the empty record it takes its place.
  const heldAt = row.progress.updatedAt;
  const record = { mailId, heldAt, acceptedAt, facts: row.facts, reason: reportOf(reason) };
  await needs.records.store({ ...record, original: withoutPriority(original) });
  return (await needs.ledger.replace(completeHeld(row), etag))?.row ?? row;
};
