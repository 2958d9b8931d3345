import { divertedBy } from '../delivery/accept-mail.ts';
import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import { AppError } from '../errors.ts';
import { type InState, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import { replay } from '../ledger/transitions.ts';
import { keyOfMail } from '../mail/idempotency-key.ts';
import { readMail } from '../mail/read-mail.ts';
import { sendAtOf } from '../mail/send-at.ts';
import type { Ports } from '../ports.ts';
import { decideHandling, type Handling, handlingOfAll, type Safety } from '../sending/safety.ts';
import { findHeld, stateDetail } from './find-held.ts';
import { findMail, type MailStatus, toStatus } from './mail-status.ts';

export type ReplayNeeds = QueueMailNeeds &
  Pick<Ports, 'ledger' | 'records' | 'clock' | 'log'> & {
    /** Absent where settings are wrong. */
    readonly safety?: Safety;
  };

/**
 * Sends a mail that was held once more, from the queue, by the settings of now, whatever was to become of it before. Repeating it does no
 * harm: the second finds the mail no longer held. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD, PAYLOAD_MISSING, MESSAGE_UNREADABLE,
 * MAIL_KEY_IN_USE.
 */
export const replayMail = async (needs: ReplayNeeds, mailId: string): Promise<MailStatus> => {
  const { row, etag } = await findHeld(needs, mailId);
  const { original, version } = (await needs.records.read(row.fate.record)) ?? {};
  if (original === undefined) throw new AppError('PAYLOAD_MISSING');
  if (typeof original !== 'object' || original === null) throw new AppError('MESSAGE_UNREADABLE');
  await requireKeyUnused(needs, row, original);
  const now = needs.clock.now();
  const { caller, bodyHash } = row.facts;
  // A row of what could not be read has no hash.
  const contentHash = bodyHash || (await needs.readIdentity()).hashOfContent(original);
  const how = needs.safety && divertedBy(handlingOf(needs.safety, original, row.facts.sender));
  const queued = replay(row, contentHash, now, { sendAt: sendAtOf(original, now), how });
  const first = newEnvelope({
    mailId: row.facts.mailId,
    acceptedAt: now,
    caller,
    contentHash,
    content: { mail: original },
  });
  await queueMail(needs, { ...first, turn: queued.progress.turn }, 0);
  if ((await needs.ledger.replace(queued, etag)) === undefined)
    return toStatus(await replayedElsewhere(needs, queued));
  await needs.records.delete(row.fate.record, version);
  needs.log({ event: 'MailReplayed', mailId: row.facts.mailId });
  return toStatus(queued);
};

/**
 * What was refused before it was accepted is held beside the id of its key, which its correction may use. Where that has been used since,
 * for the same content, a replay would send the email twice. Throws MAIL_KEY_IN_USE.
 */
const requireKeyUnused = async (
  { ledger, readIdentity }: Pick<ReplayNeeds, 'ledger' | 'readIdentity'>,
  { facts: { mailId, caller } }: LedgerRow,
  original: object,
): Promise<void> => {
  const key = keyOfMail(original);
  if (key === undefined) return;
  const { mailIdOfKey, isContent } = await readIdentity();
  const idOfKey = mailIdOfKey(caller, key);
  const found = idOfKey === mailId ? undefined : (await ledger.find(idOfKey))?.row;
  if (found === undefined || isIn(found, 'rejected', 'canceled', 'closed')) return;
  if (isContent(found.facts.bodyHash, original))
    throw new AppError('MAIL_KEY_IN_USE', {
      detail: `The email ${idOfKey} has the same key and content, and is in the state ${found.fate.state}.`,
    });
};

/** What cannot be read, or may not be sent, goes to nobody. */
const handlingOf = (safety: Safety, original: object, sender: string): Handling => {
  const known = handlingOfAll(safety);
  if (known !== undefined) return known;
  try {
    return decideHandling(safety, readMail(original), { address: sender });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'send' };
  }
};

/** Another request changed the row first: with the message of this replay or another one, or by closing the mail. */
const replayedElsewhere = async (
  needs: Pick<Ports, 'ledger'>,
  { facts, progress }: InState<'queued'>,
): Promise<LedgerRow> => {
  const { row } = await findMail(needs, facts.mailId);
  if (row.progress.turn < progress.turn) throw new AppError('MAIL_NOT_HELD', { detail: stateDetail(row) });
  return row;
};
