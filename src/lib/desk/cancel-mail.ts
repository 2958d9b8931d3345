import type { Caller } from '../callers/caller.ts';
import { announceWritten } from '../delivery/announce.ts';
import { waitUntilDue } from '../delivery/schedule-mail.ts';
import { AppError } from '../errors.ts';
import { isRowInGap } from '../ledger/ledger-gap.ts';
import { isIn } from '../ledger/ledger-row.ts';
import { cancel } from '../ledger/transitions.ts';
import type { Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findOwnMail, type MailStatus, type ToldNeeds, toStatusFor } from './mail-status.ts';
import { isWaiting, type StopNeeds, stopWaiting } from './stop-waiting.ts';

export type CancelNeeds = StopNeeds & ToldNeeds & Pick<Ports, 'readIdentity' | 'clock' | 'log'>;

/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 4;

/**
 * Takes back an email of this caller that still waits. Repeating it gives the same answer. Throws MAIL_NOT_FOUND, MAIL_UNDER_WAY,
 * MAIL_NOT_WAITING.
 */
export const cancelMail = async (needs: CancelNeeds, mailId: string, caller: Caller): Promise<MailStatus> => {
  for (let race = 0; race < MAX_RACES; race += 1) {
    const { row, etag } = await findOwnMail(needs, mailId, caller);
    if (isIn(row, 'canceled')) {
      // Perhaps for want of the answer to a request that ended before it could tell.
      await announceWritten(needs, { row, etag });
      return toStatusFor(needs, caller, row);
    }
    const { mailId: id } = row.facts;
    if (isIn(row, 'sending')) throw new AppError('MAIL_UNDER_WAY', { mailId: id, detail: ATTEMPT });
    if (!isIn(row, 'queued', 'deferred'))
      throw new AppError('MAIL_NOT_WAITING', { mailId: id, detail: stateDetail(row) });
    if (!isWaiting(row)) throw new AppError('MAIL_NOT_WAITING', { mailId: id, detail: IN_DOUBT });
    const isDue = waitUntilDue(row.facts.sendAt, needs.clock.now()) === 0;
    if (isDue && isRowInGap(row, (await needs.readIdentity()).gap))
      throw new AppError('MAIL_NOT_WAITING', { mailId: id, detail: RESTORED });
    const canceled = cancel(row, needs.clock.now());
    if (!(await stopWaiting(needs, canceled, etag))) continue;
    needs.log({ event: 'MailCanceled', mailId: id });
    return toStatusFor(needs, caller, canceled);
  }
  throw new AppError('MAIL_UNDER_WAY', { mailId });
};

const IN_DOUBT = 'An attempt whose outcome is unknown may have sent the email.';
const RESTORED =
  'The ledger was restored from a backup. The relay may have sent the email before that, and looks for it first.';
const ATTEMPT =
  'An attempt to send the email is in progress. Repeat this request: it cancels the email if the attempt did not send it.';
