import type { Deliver, Delivered, Submission } from '../submission.ts';
import { type Attempting, attempt } from './attempt.ts';
import type { Later } from './outcome.ts';

/** Where an email goes that the relay cannot take now. */
export type Keep = (submission: Submission) => Promise<Extract<Delivered, { kind: 'spooled' | 'later' }>>;

/**
 * Gives emails to the relay while their clients wait, for `replyMs` at most. What the relay cannot take now is kept in the spool, if
 * there is one; else the client repeats it, with the same idempotency key.
 */
export const deliverTo = (
  attempting: Attempting & { readonly keep?: Keep | undefined; readonly replyMs: number },
): Deliver => {
  const { pauses, watch, keep, replyMs } = attempting;
  return async (submission) => {
    const paused = pauses.of(submission.account);
    const outcome = paused ?? (await attempt(attempting, submission, replyMs));
    const delivered = outcome.kind === 'later' ? await (keep?.(submission) ?? answerOf(outcome)) : outcome;
    watch.answered(submission.account, delivered.kind);
    // What is paused was not attempted: what is not known of another email says nothing of this one.
    const isUncertain = paused === undefined && outcome.kind === 'later' && outcome.isUncertain;
    return delivered.kind === 'later' ? { ...delivered, isUncertain } : delivered;
  };
};

const answerOf = ({ kind, code, enhanced, text }: Later): Delivered => ({ kind, code, enhanced, text });
