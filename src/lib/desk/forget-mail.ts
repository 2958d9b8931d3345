import { AppError } from '../errors.ts';
import { dueFrom, isFinal, isIn, isUntold, type LedgerRow } from '../ledger/ledger-row.ts';
import type { Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findMail } from './mail-status.ts';
import type { Operator } from './operator.ts';
import { type ActNeeds, beginAct, codeOf, finishAct } from './operator-acts.ts';

export type ForgetNeeds = ActNeeds & Pick<Ports, 'ledger' | 'payloads' | 'records' | 'captured'>;

const HOUR_MS = 3_600_000;
/** A message that nobody has seen yet comes within the seven days for which a queue hides one, and is dropped then. */
const MESSAGE_GONE_AFTER_MS = 8 * 24 * HOUR_MS;

/**
 * Deletes everything that the relay keeps of an email: its content, its record, and its row with all by which it is found. The trail of
 * operators says who did it, before it is done. The row goes last, so that what was cut short is repeated. Throws MAIL_NOT_FOUND,
 * MAIL_STILL_NEEDED, STORAGE_UNAVAILABLE.
 */
export const forgetMail = async (
  needs: ForgetNeeds,
  operator: Pick<Operator, 'name' | 'with'>,
  mailId: string,
): Promise<{ readonly id: string; readonly forgotten: true }> => {
  const { row, etag } = await findMail(needs, mailId);
  const { facts } = row;
  requireUnneeded(row, needs.clock.now());
  const act = await beginAct(needs, operator, 'forget', { mailIds: [facts.mailId] });
  const end = (outcome: 'done' | AppError['code']) =>
    finishAct(needs, { ...act, mails: [{ mailId: facts.mailId, outcome }] });
  try {
    await needs.payloads.delete(facts.mailId, facts.bodyHash);
    if (isIn(row, 'held')) await needs.records.delete(row.fate.record);
    if (isIn(row, 'captured')) await needs.captured.delete({ mailId: facts.mailId, dueFrom: dueFrom(row) });
    if (!(await needs.ledger.forget(row, etag)))
      throw new AppError('MAIL_STILL_NEEDED', { detail: 'The email changed meanwhile. Repeat the request.' });
  } catch (error) {
    await end(codeOf(needs, error));
    throw error;
  }
  await end('done');
  needs.log({ event: 'MailForgotten', mailId: facts.mailId });
  return { id: facts.mailId, forgotten: true };
};

/** Without its row, a message that is still on the queue would be a new email, and be sent. */
const requireUnneeded = (row: LedgerRow, now: Date): void => {
  if (!isFinal(row)) throw new AppError('MAIL_STILL_NEEDED', { detail: stateDetail(row) });
  if (isUntold(row))
    throw new AppError('MAIL_STILL_NEEDED', { detail: 'Its event could not be put on the queue yet.' });
  const neededMs = hasLeftMessage(row) ? MESSAGE_GONE_AFTER_MS : HOUR_MS;
  const until = new Date(Date.parse(row.progress.updatedAt) + neededMs);
  if (now < until)
    throw new AppError('MAIL_STILL_NEEDED', {
      detail: `A message of the email can be on the queue until ${until.toISOString()}.`,
    });
};

/** It was ended while its message waited. */
const hasLeftMessage = (row: LedgerRow): boolean =>
  isIn(row, 'canceled') || (isIn(row, 'closed') && row.fate.reason.code === 'CLOSED_WHILE_WAITING');
