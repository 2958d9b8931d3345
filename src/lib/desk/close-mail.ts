import { announce } from '../delivery/announce.ts';
import { AppError } from '../errors.ts';
import { close } from '../ledger/transitions.ts';
import type { Ports } from '../ports.ts';
import { findHeld } from './find-held.ts';
import { type MailStatus, toStatus } from './mail-status.ts';

export type CloseNeeds = Pick<Ports, 'ledger' | 'records' | 'events' | 'clock' | 'log'>;

/** Ends a mail that was held without sending it. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD. */
export const closeMail = async (needs: CloseNeeds, mailId: string, note: string): Promise<MailStatus> => {
  const { row, etag } = await findHeld(needs, mailId);
  const closed = close(row, note, needs.clock.now());
  await announce(needs, closed);
  if ((await needs.ledger.replace(closed, etag)) === undefined) throw new AppError('MAIL_NOT_HELD');
  await needs.records.delete(row.fate.record);
  needs.log({ event: 'MailClosed', mailId: row.facts.mailId });
  return toStatus(closed);
};
