import type { RelayAnswer, RelayBody } from './answer.ts';
import { oneLine } from './one-line.ts';

/** What an attempt means, before it is known whether a client or the spool hears of it. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly id: string; readonly state: string }
  /** This email never will be. */
  | (Reply & { readonly kind: 'refused'; readonly reason: string })
  | Later;

export type Later = Reply & {
  readonly kind: 'later';
  readonly reason: string;
  /**
   * What has no other attempt for a while: everything, the emails of this account, this email. An email that may be the reason itself
   * lets the others pass.
   */
  readonly pauses: readonly ('relay' | 'account' | 'email')[];
  /** True where an operator must change the configuration of the door or the rules of its caller. */
  readonly isOwnFault: boolean;
  readonly waitMs: number | undefined;
  /** True where the relay may have accepted the email all the same. */
  readonly isUncertain: boolean;
};

type Reply = { readonly code: string; readonly enhanced: string; readonly text: string };
type Problem = Extract<RelayBody, { readonly kind: 'problem' }>;
type Response = Extract<RelayAnswer, { readonly kind: 'response' }>;

/** Problems of the key or of the caller as a whole, which no sender of an email can change. */
const OF_THE_DOOR: ReadonlySet<string> = new Set([
  'CALLER_UNKNOWN',
  'CREDENTIALS_AMBIGUOUS',
  'KEY_NOT_ACCEPTED',
  'TOKEN_NOT_ACCEPTED',
  'TOKEN_ROLE_MISSING',
  'CALLER_NOT_DECLARED',
  'CALLER_DISABLED',
  'CALLER_REMOVED',
  'DOOR_NOT_ALLOWED',
]);

/**
 * The relay did not send this email, and an administrator must act first, for this email or for its sender: repeating it changes nothing,
 * and others can pass.
 */
const OF_THE_EMAIL: ReadonlySet<string> = new Set([
  'GRAPH_REFUSED',
  'DRAFTS_NOT_ALLOWED',
  'UPLOAD_HOST_UNEXPECTED',
  'MAILBOX_OUT_OF_SCOPE',
  'MAILBOX_FULL',
  'MAILBOX_BLOCKED',
  'SEND_AS_DENIED',
]);

/** What is not known, or not possible now, of this email alone. */
const OF_THE_ATTEMPT: ReadonlySet<string> = new Set([
  'OUTCOME_UNKNOWN',
  'GRAPH_ANSWER_UNEXPECTED',
  'ATTEMPT_LOST',
  'MAIL_LOST',
  'PAYLOAD_MISSING',
  'HOST_GAVE_UP',
  'GIVEN_UP',
  'DRAFT_UNFINISHED',
  'RELAY_BUSY',
]);

/** The request broke off on its way, and nothing was accepted: the same email can arrive whole. */
const OF_THE_WAY: ReadonlySet<string> = new Set(['MIME_INCOMPLETE', 'REQUEST_TOO_SLOW']);

/** Of Node and of its proxy: the email was not even begun. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Codes of RFC 3463 that say more than that the content is not acceptable. */
const REPLIES: Readonly<Record<string, readonly [code: string, enhanced: string]>> = {
  ADDRESS_INVALID: ['553', '5.1.3'],
  RECIPIENT_MISSING: ['554', '5.1.3'],
  RECIPIENTS_TOO_MANY: ['554', '5.5.3'],
  SENDER_NOT_ALLOWED: ['550', '5.7.1'],
  SENDER_NOT_USABLE: ['550', '5.1.8'],
  RECIPIENT_NOT_ALLOWED: ['550', '5.7.1'],
  RECIPIENT_OUTSIDE_DOMAINS: ['550', '5.7.1'],
  CALLER_LIMIT_TOO_LOW: ['550', '5.7.1'],
  IDEMPOTENCY_KEY_REUSED: ['554', '5.5.0'],
  MAIL_CANCELED: ['554', '5.7.0'],
  DRAFTS_NOT_ALLOWED: ['554', '5.3.5'],
  MAILBOX_OUT_OF_SCOPE: ['550', '5.7.1'],
  SEND_AS_DENIED: ['550', '5.7.1'],
  MAILBOX_BLOCKED: ['550', '5.7.1'],
  MAILBOX_FULL: ['554', '5.2.2'],
};

/** Decides what a response, or none, means for this email and for those after it. */
export const readOutcome = (answer: RelayAnswer): Outcome => {
  if (answer.kind === 'none') return noResponse(answer);
  const { status, body } = answer;
  const isSuccess = status >= 200 && status < 300;
  if (body.kind === 'mail' && isSuccess) return { kind: 'accepted', id: body.id, state: body.state };
  if (body.kind === 'problem') return ofProblem(answer, body);
  return ofPlatform(answer);
};

const noResponse = ({ why, cause }: Extract<RelayAnswer, { readonly kind: 'none' }>): Outcome => ({
  kind: 'later',
  reason: cause,
  // A connection that was not made says nothing of the email.
  pauses: NOT_CONNECTED.has(cause) ? ['relay'] : ['relay', 'email'],
  isUncertain: !NOT_CONNECTED.has(cause),
  isOwnFault: false,
  waitMs: undefined,
  code: '451',
  ...(why === 'timeout'
    ? { enhanced: '4.4.7', text: 'The mail relay did not respond in time. Send the email again later.' }
    : { enhanced: '4.4.1', text: 'The mail relay cannot be reached. Send the email again later.' }),
});

const ofProblem = (answer: Response, problem: Problem): Outcome => {
  const { status, retryAfterMs: waitMs } = answer;
  const { code: reason } = problem;
  if (status === 401 || OF_THE_DOOR.has(reason)) return ownFault(reason, waitMs);
  const later = {
    kind: 'later',
    reason,
    isOwnFault: false,
    // 409: an earlier request with this key is in progress. 5xx: the relay itself may not know.
    isUncertain: status === 409 || status >= 500,
    waitMs,
    text: sayOf(problem),
  } as const;
  if (OF_THE_WAY.has(reason)) return { ...later, pauses: ['email'], code: '451', enhanced: '4.4.2' };
  // The first request with this key is still in progress.
  if (status === 409) return { ...later, pauses: ['email'], code: '451', enhanced: '4.5.0' };
  if (status === 429) return { ...later, pauses: ['account'], code: '451', enhanced: '4.7.1' };
  if (OF_THE_ATTEMPT.has(reason)) return { ...later, pauses: ['email'], code: '451', enhanced: '4.3.0' };
  if (status === 503) return { ...later, pauses: ['account'], code: '451', enhanced: '4.3.0' };
  // An operator of the relay must act: the same email can be accepted afterwards.
  if (status >= 500 && !OF_THE_EMAIL.has(reason))
    return { ...later, pauses: ['account', 'email'], code: '451', enhanced: '4.3.0' };
  const [code, enhanced] = REPLIES[reason] ?? (status === 413 ? ['552', '5.3.4'] : ['554', '5.6.0']);
  return { kind: 'refused', reason, code, enhanced, text: sayOf(problem) };
};

/** A response that the relay did not write: of the platform, of a proxy, or of another site. */
const ofPlatform = ({ status, retryAfterMs: waitMs }: Response): Outcome => {
  const reason = `HTTP ${status}`;
  const isTemporary = status === 408 || status === 429 || status >= 500;
  // Azure answers 401 itself for a wrong function key.
  if (status === 401) return ownFault(reason, waitMs);
  // The address is wrong, or a proxy blocks the content of this email. It cannot be told, so the others are tried too. A proxy can also
  // replace a response of the relay with a page of its own.
  if (!isTemporary)
    return {
      ...ownFault(reason, waitMs),
      pauses: ['email'],
      isUncertain: status < 400,
      text: `Something other than the mail relay rejected the email (${reason}). Ask the administrator of the SMTP door to check relay.url and what is on the way to it. The email can be sent again later.`,
    };
  return {
    kind: 'later',
    reason,
    // A process that stopped may have done so because of this email.
    pauses: ['relay', 'email'],
    isOwnFault: false,
    isUncertain: status !== 429,
    waitMs,
    code: '451',
    enhanced: '4.3.0',
    text: `The mail relay is not available (${reason}). Send the email again later.`,
  };
};

const ownFault = (reason: string, waitMs: number | undefined): Later => ({
  kind: 'later',
  isUncertain: false,
  reason,
  pauses: ['account'],
  isOwnFault: true,
  waitMs,
  code: '451',
  enhanced: '4.3.5',
  text: `The SMTP door is not set up correctly (${reason}). Ask its administrator to read its log. The email can be sent again later.`,
});

/**
 * What went wrong and what to do now, in one line. The first problem says more than the title does. The ID is that of the email at the
 * relay, which commands in the remedy ask for.
 */
const sayOf = ({ code, title, remedy, problems, mailId }: Problem): string => {
  const expected = problems.find((problem) => problem.expected !== '')?.expected;
  const what = expected === undefined ? title : `${title}: expected ${expected}`;
  const id = mailId === undefined ? '' : ` The ID of the email is ${mailId}.`;
  return oneLine(
    `${code}: ${what.replace(/[.:]?$/, '.')}${id} ${mailId === undefined ? remedy : remedy.replaceAll('<id>', mailId)}`,
  );
};
