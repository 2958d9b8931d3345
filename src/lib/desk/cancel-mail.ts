import { announce } from '../delivery/announce.ts';
import { AppError } from '../errors.ts';
import { isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { cancel } from '../ledger/transitions.ts';
import type { Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findOwnMail, type MailStatus, toStatus } from './mail-status.ts';

export type CancelNeeds = Pick<Ports, 'ledger' | 'payloads' | 'events' | 'clock' | 'log'>;

/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 4;

/**
 * Takes back an email of this caller that still waits. An attempt claims the row first, so that either it or this succeeds, and
 * the message of a canceled email is dropped when it is delivered. Repeating it gives the same answer. Throws MAIL_NOT_FOUND,
 * MAIL_UNDER_WAY, MAIL_NOT_WAITING.
 */
export const cancelMail = async (needs: CancelNeeds, mailId: string, caller: string): Promise<MailStatus> => {
  for (let race = 0; race < MAX_RACES; race += 1) {
    const { row, etag } = await findOwnMail(needs, mailId, caller);
    if (isIn(row, 'canceled')) {
      // Perhaps for want of the answer to a request that ended before it could tell.
      await announce(needs, row);
      return toStatus(row);
    }
    const { mailId: id, bodyHash } = row.facts;
    if (isIn(row, 'sending')) throw new AppError('MAIL_UNDER_WAY', { mailId: id, detail: ATTEMPT });
    if (!isIn(row, 'queued', 'deferred'))
      throw new AppError('MAIL_NOT_WAITING', { mailId: id, detail: stateDetail(row) });
    if (mayBeSent(row)) throw new AppError('MAIL_NOT_WAITING', { mailId: id, detail: IN_DOUBT });
    const canceled = cancel(row, needs.clock.now());
    if ((await needs.ledger.replace(canceled, etag)) === undefined) continue;
    // Not before the row, as elsewhere: an attempt that is faster sends the email.
    await announce(needs, canceled);
    needs.log({ event: 'MailCanceled', mailId: id });
    // Should this fail, the message deletes it when it is dropped, or the sweep finds it.
    await needs.payloads.delete(id, bodyHash).catch(() => undefined);
    return toStatus(canceled);
  }
  throw new AppError('MAIL_UNDER_WAY', { mailId });
};

/** Of an email that is sent once more by choice, nobody can say that it was canceled. */
const mayBeSent = ({ progress }: LedgerRow): boolean =>
  progress.resent || progress.attempts.at(-1)?.outcome === 'unknown';

const IN_DOUBT = 'An attempt whose outcome is unknown may have sent the email.';
const ATTEMPT =
  'An attempt to send the email is in progress. Repeat this request: it cancels the email if the attempt did not send it.';
