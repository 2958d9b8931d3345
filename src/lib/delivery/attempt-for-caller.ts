import { AppError, errorOf, toReason } from '../errors.ts';
import type { InState, LedgerRow } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { LedgerEntry } from '../ports.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import type { AcceptableMail } from './accept-mail.ts';
import type { CaptureNeeds } from './capture-mail.ts';
import { type ConcludeNeeds, concludeAttempt } from './conclude-attempt.ts';
import type { LaneNeeds } from './in-lane.ts';
import type { AfterAttempt } from './perform-step.ts';
import { isStorageFailure } from './storage-failure.ts';
import { takeBack } from './take-back.ts';
import type { TellOfLimitNeeds } from './tell-of-limit.ts';

export type AttemptNeeds = ConcludeNeeds & LaneNeeds & TellOfLimitNeeds & CaptureNeeds;

/** An email that a caller brings and waits for. */
export type IncomingMail = {
  readonly accepted: AcceptableMail;
  readonly input: unknown;
  readonly envelope: Envelope;
  /** Whether the row is of this email, and not of another one with its key. */
  readonly isSame: (row: LedgerRow) => boolean;
};

/** Storage failed before anything of this request was written, or what was written was taken back. */
export const notStored = (cause: unknown): never => {
  if (isStorageFailure(cause)) throw new AppError('MAIL_NOT_STORED', { cause });
  throw cause;
};

/** Concludes the attempt of a caller who waits. Throws the reason where the email was rejected, or is in doubt. */
export const concludeForCaller = async (
  needs: AttemptNeeds,
  { accepted, input, envelope }: IncomingMail,
  ended: LedgerEntry<InState<'sending'>> & { readonly outcome: SendOutcome } & Pick<
      AfterAttempt,
      'onRejected'
    >,
): Promise<LedgerRow> => {
  try {
    const row = await concludeAttempt(needs, {
      ...ended,
      mail: accepted.mail,
      envelope,
      readOriginal: async () => input,
      callerWaits: true,
    });
    if (row.fate.state === 'rejected') throw errorOf(row.fate.reason, row.facts.mailId);
    return row;
  } catch (error) {
    if (error instanceof AppError && !isStorageFailure(error)) throw error;
    return answerUnrecorded(needs, ended, error);
  }
};

/** The end of the attempt could not be written down: what it was still decides what the caller is told. */
const answerUnrecorded = async (
  needs: AttemptNeeds,
  { outcome, ...claimed }: LedgerEntry<InState<'sending'>> & { readonly outcome: SendOutcome },
  cause: unknown,
): Promise<LedgerRow> => {
  // The reason is worth more to the caller than that it could not be written down.
  const { mailId } = claimed.row.facts;
  if (outcome.kind === 'rejected') throw errorOf(toReason(outcome), mailId);
  if (outcome.kind === 'not-sent') {
    await takeBack(needs, claimed, cause);
    return claimed.row;
  }
  throw new AppError('OUTCOME_UNKNOWN', {
    mailId,
    cause,
    detail:
      outcome.kind === 'accepted'
        ? 'Graph accepted the email, but the relay could not record that. Do not send it again.'
        : 'Graph may have sent the email, and the relay could not record its state. Check Sent Items before you send it again.',
  });
};
