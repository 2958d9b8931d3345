import type { Reason } from '../errors.ts';
import type { AnswerFacts } from '../sending/send-outcome.ts';

/*
 * What a caller is told that may use every address of a domain, and could try out addresses: not whether a mailbox is missing, closed to
 * the relay or blocked. The ledger, the log and the desk have the true reason.
 */

/** What Graph says because of the mailbox of the sender alone. */
const OF_THE_MAILBOX: ReadonlySet<string> = new Set([
  'MAILBOX_NOT_FOUND',
  'MAILBOX_OUT_OF_SCOPE',
  'MAILBOX_BLOCKED',
  'MAILBOX_FULL',
  'SEND_AS_DENIED',
  'DRAFTS_NOT_ALLOWED',
]);

/** What Graph says in words of its own, which can be of the mailbox too. */
const IN_OTHER_WORDS = 'GRAPH_REFUSED';

/** A reason in the words for a caller that may not know what is the matter with the mailbox. */
export const toldReason = (reason: Reason): Reason => {
  if (OF_THE_MAILBOX.has(reason.code)) return { code: 'SENDER_NOT_USABLE' };
  if (reason.code !== IN_OTHER_WORDS) return reason;
  const { upstreamCode: _, ...told } = reason;
  return told;
};

/** An attempt to send, as such a caller is told of it. */
export const toldAttempt = <Its extends AnswerFacts & { readonly code?: string }>(
  attempt: Its,
): Omit<Its, keyof AnswerFacts> & AnswerFacts => {
  // A mailbox that is missing is told from one that is closed by the status alone.
  const { upstreamCode: _, graphRequestId: __, status: ___, tookMs: ____, ...rest } = attempt;
  if (OF_THE_MAILBOX.has(attempt.code ?? '')) return { ...rest, code: 'SENDER_NOT_USABLE' };
  return attempt.code === IN_OTHER_WORDS ? rest : attempt;
};
