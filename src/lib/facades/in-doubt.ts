import type { ErrorCode } from '../error-catalogue.ts';

/**
 * Errors after which an email of the request may have been sent all the same. Clients of providers repeat a request by themselves after
 * 429 and 5xx, so that no façade answers these so. What only a repetition under its idempotency key can hear is not among them: that sends
 * nothing twice.
 */
const IN_DOUBT: ReadonlySet<string> = new Set<ErrorCode>([
  'OUTCOME_UNKNOWN',
  'PARTLY_ACCEPTED',
  // A fault of the relay, and nobody knows when it came.
  'UNEXPECTED',
  // Something between may have answered in place of Graph, and passed the email on.
  'GRAPH_ANSWER_UNEXPECTED',
  // Reasons of emails that are held.
  'ATTEMPT_LOST',
  'HOST_GAVE_UP',
]);

/** Whether an email may have been sent although the request ended with this error. */
export const isInDoubt = (code: unknown): boolean => IN_DOUBT.has(String(code));

/** What the status of an email has by which this is known. */
export type DoubtFacts = { readonly reason?: unknown; readonly timeline?: unknown };

const codeOf = (reason: unknown): unknown =>
  typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : undefined;

const isDoubtfulAttempt = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && 'event' in entry && entry.event === 'attempt unknown';

/**
 * Whether an email that is held or closed may have been sent: an application that is told of a failure sends it once more. What is held
 * and certainly was not sent is a failure until an operator decides.
 */
export const mayBeSent = ({ reason, timeline }: DoubtFacts): boolean =>
  isInDoubt(codeOf(reason)) || (Array.isArray(timeline) && timeline.some(isDoubtfulAttempt));
