import { v4 as newUuid } from 'uuid';
import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import { isMailId } from '../ledger/mail-id.ts';
import { newActId, type OperatorAct, type OperatorAction } from '../ledger/operator-act.ts';
import { unexpected } from '../log.ts';
import type { Ports } from '../ports.ts';
import { type CloseNeeds, closeMail } from './close-mail.ts';
import type { Operator } from './operator.ts';
import { type ReplayNeeds, replayMail } from './replay-mail.ts';

export type ActNeeds = Pick<Ports, 'operatorTrail' | 'clock' | 'log'>;

/** Writes into the trail what an operator is about to do. What cannot be written there is not done. */
export const beginAct = async (
  { operatorTrail, clock }: ActNeeds,
  operator: Pick<Operator, 'name' | 'with'>,
  action: OperatorAction,
  { mailIds = [], note }: { readonly mailIds?: readonly string[]; readonly note?: string } = {},
): Promise<OperatorAct> => {
  const now = clock.now();
  const act: OperatorAct = {
    id: newActId(now, newUuid()),
    at: now.toISOString(),
    with: operator.with,
    by: operator.name,
    action,
    ...defined({ note }),
    mails: mailIds.map((mailId) => ({ mailId })),
  };
  await operatorTrail.begin(act);
  return act;
};

/** Writes how it ended. The act is done: what fails here is seen on the email itself. */
export const finishAct = async ({ operatorTrail, log }: ActNeeds, act: OperatorAct): Promise<void> => {
  try {
    await operatorTrail.finish(act);
  } catch (error) {
    if (!(error instanceof AppError)) log(unexpected(error));
  }
};

/** What went wrong with one, by its code; what nobody foresaw is in the log. */
export const codeOf = ({ log }: Pick<Ports, 'log'>, error: unknown): ErrorCode => {
  if (error instanceof AppError) return error.code;
  log(unexpected(error));
  return 'UNEXPECTED';
};

/** Throws OPERATOR_READ_ONLY. */
export const requireOperate = ({ mayOperate }: Operator): void => {
  if (!mayOperate) throw new AppError('OPERATOR_READ_ONLY');
};

/** As many as a page shows, and a transaction of the trail has. */
const MOST_AT_ONE_TIME = 50;

/** What an operator wants done with emails that are held, or wait. */
export type Decision = { readonly action: 'replay' } | { readonly action: 'close'; readonly note: string };

/**
 * Replays or closes emails one after the other, each with an outcome of its own, and gives what the trail has of it. Throws
 * OPERATOR_READ_ONLY, FORM_INVALID, STORAGE_UNAVAILABLE; then nothing was done.
 */
export const decideMails = async (
  needs: ActNeeds & ReplayNeeds & CloseNeeds,
  operator: Operator,
  decision: Decision,
  ids: readonly string[],
): Promise<OperatorAct> => {
  requireOperate(operator);
  const mailIds = [...new Set(ids.map((id) => id.toLowerCase()))];
  if (mailIds.length === 0 || mailIds.length > MOST_AT_ONE_TIME || !mailIds.every(isMailId))
    throw new AppError('FORM_INVALID', {
      detail: `Expected 1 to ${MOST_AT_ONE_TIME} emails to be selected, received ${mailIds.length}.`,
    });
  const note = decision.action === 'close' ? decision.note : undefined;
  const act = await beginAct(needs, operator, decision.action, { mailIds, ...defined({ note }) });
  const mails: OperatorAct['mails'][number][] = [];
  for (const mailId of mailIds) {
    try {
      if (decision.action === 'replay') await replayMail(needs, mailId);
      else await closeMail(needs, mailId, decision.note);
      mails.push({ mailId, outcome: 'done' });
    } catch (error) {
      mails.push({ mailId, outcome: codeOf(needs, error) });
    }
  }
  const done = { ...act, mails };
  await finishAct(needs, done);
  return done;
};
