import type { ErrorCode } from '../error-catalogue.ts';
import type { MailStatus } from './mail-status.ts';
import { readTimeline } from './timeline.ts';

/** Of these nobody knows whether Graph sent the email, or another with the same content was sent. */
const IN_DOUBT: ReadonlySet<string> = new Set([
  'OUTCOME_UNKNOWN',
  'ATTEMPT_LOST',
  'HOST_GAVE_UP',
  'MAIL_KEY_IN_USE',
] satisfies readonly ErrorCode[]);

/** Whether a held email may have been sent already, so that a replay may send it twice. */
export const mayBeSent = (mail: MailStatus): boolean => {
  const { reason } = mail as { readonly reason?: { readonly code?: string } };
  if (IN_DOUBT.has(reason?.code ?? '')) return true;
  const attempts = readTimeline(mail).filter((event) => event.kind === 'attempt');
  return attempts.at(-1)?.outcome === 'unknown';
};
