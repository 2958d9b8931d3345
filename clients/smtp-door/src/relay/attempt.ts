import type { Log } from '../log.ts';
import type { Submission } from '../submission.ts';
import type { Watch } from '../watch.ts';
import { type Outcome, readOutcome } from './outcome.ts';
import type { Pauses } from './pauses.ts';
import type { PostMail } from './post-mail.ts';

/** What one attempt needs, for clients that wait and for the spool alike. */
export type Attempting = {
  readonly post: PostMail;
  /** The key of an account; undefined if the configuration does not have the account any more. */
  readonly keyOf: (account: string) => string | undefined;
  readonly pauses: Pauses;
  readonly watch: Watch;
  readonly log: Log;
};

/** Tries an email once, and notes what that says of the relay and the account. Never throws. */
export const attempt = async (
  { post, keyOf, pauses, watch, log }: Attempting,
  submission: Submission,
  timeoutMs: number,
): Promise<Outcome> => {
  const { account, id } = submission;
  const key = keyOf(account);
  const outcome = key === undefined ? noAccount : readOutcome(await post(submission, key, timeoutMs));
  watch.attempted(account, outcome);
  if (outcome.kind === 'later') {
    pauses.failed(account, outcome);
    const event = outcome.isOwnFault ? 'RelayRefusesDoor' : 'RelayDeferredEmail';
    log(outcome.isOwnFault ? 'error' : 'warn', event, {
      id,
      account,
      reason: outcome.reason,
      say: outcome.text,
    });
    return outcome;
  }
  pauses.answered(account);
  if (outcome.kind === 'accepted')
    log('info', 'RelayAcceptedEmail', { id, account, mailId: outcome.id, state: outcome.state });
  else log('warn', 'RelayRefusedEmail', { id, account, reason: outcome.reason, say: outcome.text });
  return outcome;
};

const noAccount: Outcome = {
  kind: 'later',
  isUncertain: false,
  reason: 'ACCOUNT_NOT_CONFIGURED',
  pauses: ['account'],
  isOwnFault: true,
  waitMs: undefined,
  code: '451',
  enhanced: '4.3.5',
  text: 'The configuration of the SMTP door does not have this account any more. Ask its administrator to add it again.',
};
