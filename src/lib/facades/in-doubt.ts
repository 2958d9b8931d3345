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
