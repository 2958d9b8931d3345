import { announce, announceWritten } from '../delivery/announce.ts';
import { AppError } from '../errors.ts';
import { type InState, isIn } from '../ledger/ledger-row.ts';
import { isOwnId, timeOf } from '../ledger/mail-id.ts';
import { close, closeNew, closeWaiting, recordUntold } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findMail, type MailStatus, toStatus } from './mail-status.ts';
import { isWaiting, type StopNeeds, stopWaiting } from './stop-waiting.ts';

export type CloseNeeds = StopNeeds & Pick<Ports, 'records' | 'readIdentity' | 'clock' | 'log'>;

/**
 * Ends a mail that is held, or waits, without sending it; where the ledger was restored, also one whose row was lost. Throws
 * MAIL_NOT_FOUND, MAIL_NOT_HELD.
 */
export const closeMail = async (needs: CloseNeeds, mailId: string, note: string): Promise<MailStatus> => {
  const unseen = await closeUnseen(needs, mailId.toLowerCase(), note);
  if (unseen !== undefined) return unseen;
  const { row, etag } = await findMail(needs, mailId);
  if (isIn(row, 'held')) return closeHeld(needs, { row, etag }, note);
  if (!isWaiting(row)) throw new AppError('MAIL_NOT_HELD', { detail: stateDetail(row) });
  const closed = closeWaiting(row, note, needs.clock.now());
  if (!(await stopWaiting(needs, closed, etag))) throw new AppError('MAIL_NOT_HELD');
  needs.log({ event: 'MailClosed', mailId: row.facts.mailId });
  return toStatus(closed);
};

/** Undefined where the ledger has the email, or cannot have lost it: one that was received since it was restored, or never. */
const closeUnseen = async (
  needs: CloseNeeds,
  mailId: string,
  note: string,
): Promise<MailStatus | undefined> => {
  if (!isOwnId(mailId) || (await needs.ledger.find(mailId)) !== undefined) return undefined;
  const { gap } = await needs.readIdentity();
  if (gap === undefined) return undefined;
  // An id that is made of a key or a message does not say when; nothing that was lost is later than this.
  const acceptedAt = timeOf(mailId) ?? gap.until;
  if (acceptedAt > gap.until) return undefined;
  const closed = closeNew({ mailId, acceptedAt }, note, needs.clock.now());
  const written = await needs.ledger.create(needs.events === undefined ? closed : recordUntold(closed));
  // Its message was faster, or another operator.
  if (written === undefined) return undefined;
  await announceWritten(needs, written);
  needs.log({ event: 'MailClosed', mailId });
  return toStatus(closed);
};

const closeHeld = async (
  needs: CloseNeeds,
  { row, etag }: LedgerEntry<InState<'held'>>,
  note: string,
): Promise<MailStatus> => {
  const closed = await announce(needs, close(row, note, needs.clock.now()));
  if ((await needs.ledger.replace(closed, etag)) === undefined) throw new AppError('MAIL_NOT_HELD');
  await needs.records.delete(row.fate.record);
  needs.log({ event: 'MailClosed', mailId: row.facts.mailId });
  return toStatus(closed);
};
