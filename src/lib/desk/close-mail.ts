import { announce } from '../delivery/announce.ts';
import { AppError } from '../errors.ts';
import { type InState, isIn } from '../ledger/ledger-row.ts';
import { close, closeWaiting } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findMail, type MailStatus, toStatus } from './mail-status.ts';
import { isWaiting, type StopNeeds, stopWaiting } from './stop-waiting.ts';

export type CloseNeeds = StopNeeds & Pick<Ports, 'records' | 'clock' | 'log'>;

/** Ends a mail that is held, or waits, without sending it. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD. */
export const closeMail = async (needs: CloseNeeds, mailId: string, note: string): Promise<MailStatus> => {
  const { row, etag } = await findMail(needs, mailId);
  if (isIn(row, 'held')) return closeHeld(needs, { row, etag }, note);
  if (!isWaiting(row)) throw new AppError('MAIL_NOT_HELD', { detail: stateDetail(row) });
  const closed = closeWaiting(row, note, needs.clock.now());
  if (!(await stopWaiting(needs, closed, etag))) throw new AppError('MAIL_NOT_HELD');
  needs.log({ event: 'MailClosed', mailId: row.facts.mailId });
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
