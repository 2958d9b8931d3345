import { catalogue } from '../error-catalogue.ts';
import { AppError, reportOf } from '../errors.ts';
import {
  type Attempt,
  type LedgerRow,
  recordDeferred,
  recordRejected,
  recordSent,
  recordUnknown,
  type SendingRow,
  triedSince,
} from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { lookUpWaitMs } from '../sending/look-up-plan.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import { decideOnUnknown, type OnUnknown } from '../sending/unknown-policy.ts';
import { decideGivingUp, decideWait } from '../sending/wait.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { announce } from './mail-event.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

export type ConcludeNeeds = QueueMailNeeds &
  HoldNeeds & {
    readonly deletePayload: (mailId: string, contentHash: string) => Promise<void>;
    readonly onUnknown: OnUnknown;
    readonly verifyWindowMs: number;
    readonly giveUpAfterMs: number;
    readonly random: () => number;
  };

/** An attempt that has ended, and everything needed to go on from it. */
export type EndedAttempt = {
  readonly row: SendingRow;
  readonly etag: string;
  readonly outcome: SendOutcome;
  readonly mail: Mail;
  /** As a message about this mail would be written. */
  readonly envelope: Envelope;
  /** Gives the mail as it came, for the record of a held mail. */
  readonly original: unknown;
  /** A caller waits for the answer and still has the mail, so a refusal is told and not held. */
  readonly callerWaits: boolean;
  /** It was begun elsewhere and found unfinished: a message that knows more of it may still come. */
  readonly foundUnfinished?: boolean;
};

/**
 * Writes down how an attempt ended, and does what follows from it. A message that continues the mail is always put on
 * the queue before the ledger says so: a crash in between leaves a message that says more than the row, which
 * `decideDelivery` understands, and never a row without a message.
 */
export const concludeAttempt = async (needs: ConcludeNeeds, ended: EndedAttempt): Promise<LedgerRow> => {
  const { row, outcome, envelope, callerWaits } = ended;
  const now = needs.now();
  const { kind, ...facts } = outcome;
  const attempt: Attempt = { at: now.toISOString(), outcome: kind, ...facts };
  const attempts = row.attempts.length + row.omittedAttempts + 1;
  const log = { mailId: row.mailId, attempts, ...upstream(outcome) };

  const write = async (next: LedgerRow): Promise<boolean> => {
    await announce(needs, next);
    const written = await needs.ledger.replace(next, ended.etag).catch((error: unknown) => {
      // The message is on the queue, and says what the row should.
      if (next.state === 'deferred' || next.state === 'unknown') return undefined;
      throw error;
    });
    // Or somebody was faster with the message we wrote, or took this attempt for lost: the ledger is ahead of us.
    if (written === undefined) needs.log({ event: 'LedgerBehind', mailId: row.mailId, state: next.state });
    return written !== undefined;
  };
  const writeAndGive = async (next: LedgerRow): Promise<LedgerRow> => {
    await write(next);
    return next;
  };
  const aside = async (reason: AppError): Promise<LedgerRow> => {
    const next = await hold(needs, { row, etag: ended.etag, attempt }, ended.original, reason);
    // Whoever has the row now goes on with the mail, and needs its content.
    if (next === undefined) return (await needs.ledger.find(row.mailId))?.row ?? row;
    if (!ended.foundUnfinished) await deletePayload(needs, envelope);
    return next;
  };

  switch (outcome.kind) {
    case 'accepted': {
      const next = recordSent(row, attempt, now);
      const isWritten = await write(next);
      const { recipients, tags } = row;
      needs.log({ event: 'MailSent', ...log, recipients, tags, verified: false });
      if (isWritten) await deletePayload(needs, envelope);
      return next;
    }
    case 'rejected':
      if (!callerWaits) return aside(new AppError(outcome.code, facts));
      needs.log({ event: 'MailRejected', ...log, code: outcome.code });
      return writeAndGive(recordRejected(row, attempt, reportOf(new AppError(outcome.code, facts)), now));
    case 'not-sent': {
      const reason = reportOf(new AppError(outcome.code, facts));
      // What only an administrator can mend is told to a caller who still has the mail; else it waits here.
      if (callerWaits && catalogue[outcome.code].fixedBy !== 'time') {
        needs.log({ event: 'MailRejected', ...log, code: outcome.code });
        return writeAndGive(recordRejected(row, attempt, reason, now));
      }
      const waitMs = decideWait(attempts, outcome.waitMs, needs.random());
      const givesUpAt = triedSince(row) + needs.giveUpAfterMs;
      if (decideGivingUp({ attempts, nextAttemptAt: now.getTime() + waitMs, givesUpAt }))
        return aside(new AppError('GIVEN_UP', { ...facts, detail: `The last reason: ${outcome.code}.` }));
      await queueMail(needs, { ...envelope, turn: row.turn + 1, phase: 'send' }, waitMs);
      needs.log({ event: 'MailQueued', ...log, code: outcome.code, waitMs });
      const until = new Date(now.getTime() + waitMs);
      return writeAndGive(recordDeferred(row, attempt, { reason, until, resent: false }, now));
    }
    case 'unknown': {
      const reason = new AppError('OUTCOME_UNKNOWN', facts);
      needs.log({ event: 'MailUnknown', ...log, code: outcome.code });
      const policy = { onUnknown: needs.onUnknown, resent: row.resent };
      const decision = decideOnUnknown(ended.mail, policy);
      if (decision === 'hold') return aside(reason);
      const waitMs =
        decision === 'look-up'
          ? lookUpWaitMs(0, needs.verifyWindowMs)
          : decideWait(attempts, undefined, needs.random());
      const phase = decision === 'look-up' ? 'look-up' : 'send';
      const resent = row.resent || decision === 'resend';
      await queueMail(needs, { ...envelope, turn: row.turn + 1, phase, lookUps: 0, resent }, waitMs);
      return writeAndGive(
        decision === 'look-up'
          ? recordUnknown(row, attempt, reportOf(reason), now)
          : recordDeferred(
              row,
              attempt,
              { reason: reportOf(reason), until: new Date(now.getTime() + waitMs), resent: true },
              now,
            ),
      );
    }
  }
};

/** Once a mail needs its stored content no more. Should this fail, the sweep finds it. */
export const deletePayload = async (
  needs: Pick<ConcludeNeeds, 'deletePayload'>,
  { mailId, contentHash, content }: Envelope,
): Promise<void> => {
  if (content === 'stored') await needs.deletePayload(mailId, contentHash);
};

const upstream = ({ upstreamCode, graphRequestId }: SendOutcome) => ({
  ...(upstreamCode === undefined ? {} : { upstreamCode }),
  ...(graphRequestId === undefined ? {} : { graphRequestId }),
});
