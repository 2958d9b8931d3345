import { parseRetryAfter } from '../../../src/lib/sending/retry-after.ts';
import type { RelayProblem } from '../index.d.ts';
import { shown } from './shown.ts';

/** What came of one request. */
export type Answer = {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** Undefined where the body is not JSON. */
  readonly body?: unknown;
};
export type Came = { readonly answer: Answer } | { readonly failure: unknown };

/** What the relay says of an email that it has. */
export type Accepted = {
  readonly id: string;
  readonly state: string;
  readonly statusUrl?: string;
  readonly warnings?: readonly {
    readonly code: string;
    readonly pointer?: string;
    readonly detail?: string;
  }[];
};

/** The application gave no token, so that no request went out. `isWrong`: it gave something that is none. */
export type NoToken = { readonly kind: 'no-token'; readonly isWrong: boolean; readonly cause: unknown };

/** What a request means for the email. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly mail: Accepted; readonly repeated: boolean }
  /** `settles`: the relay says that its ledger has the email with this key as rejected: the end of an earlier request too. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly problem?: RelayProblem;
      readonly settles: boolean;
    }
  /** The same request can succeed. `isUncertain`: this one may have been carried out. */
  | {
      readonly kind: 'again';
      readonly isUncertain: boolean;
      readonly status?: number;
      readonly problem?: RelayProblem;
      readonly afterMs?: number;
      readonly cause?: unknown;
    }
  | NoToken
  /** No connection that can be trusted: nothing was sent, and the next request would go the same way. */
  | { readonly kind: 'untrusted'; readonly cause: unknown }
  /** The relay has another email with this key: as a rule this one, composed anew with another time in it. */
  | { readonly kind: 'known'; readonly status: number; readonly problem: RelayProblem }
  /** The relay says that nobody knows it yet. */
  | { readonly kind: 'unknown'; readonly status: number; readonly problem: RelayProblem };

/** Codes of Node.js and undici for a connection that was never made. */
const NEVER_CONNECTED =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT)$/;
/** Codes of OpenSSL and Node.js for a certificate or a handshake that failed. */
const NOT_TRUSTED =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;
/** Refusals of the caller, before anything of the email is read. */
const AT_THE_DOOR =
  /^(?:CALLER_UNKNOWN|KEY_NOT_ACCEPTED|TOKEN_NOT_ACCEPTED|CREDENTIALS_AMBIGUOUS|TOKEN_ROLE_MISSING|CALLER_NOT_DECLARED|CALLER_DISABLED|CALLER_REMOVED|DOOR_NOT_ALLOWED)$/;

/**
 * Problems that do not say whether the email was sent: OUTCOME_UNKNOWN says so itself, and what was not foreseen can happen after
 * sending.
 */
const SAYS_NOT_WHETHER_SENT = /^(?:OUTCOME_UNKNOWN|UNEXPECTED)$/;

/** True for a refusal of the key, the token or the caller itself. */
export const isAtTheDoor = (status: number, problem: RelayProblem | undefined): boolean =>
  problem === undefined ? status === 401 : AT_THE_DOOR.test(problem.code);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** A problem of the relay has its code in its type too: a proxy can respond with a problem of its own. */
const TYPE = /^urn:graph-mail-relay:error:([A-Z][A-Z\d_]{2,60})$/;

const problemOf = ({ body, headers }: Answer): RelayProblem | undefined => {
  if (!isObject(body) || !/^application\/problem\+json\b/i.test(headers.get('content-type') ?? ''))
    return undefined;
  const code = TYPE.exec(String(body.type))?.[1];
  return code !== undefined && body.code === code ? (shown(body) as RelayProblem) : undefined;
};

const ID = /^[\w-]{1,100}$/;
const STATE = /^[a-z-]{1,40}$/;

/** An id that can be in a URL or in a line of a log, whoever wrote it. */
export const idIn = (value: unknown): string | undefined =>
  typeof value === 'string' && ID.test(value) ? value : undefined;

/** The state that a response gives of an email. */
export const stateIn = (body: unknown): string | undefined =>
  isObject(body) && typeof body.state === 'string' && STATE.test(body.state) ? body.state : undefined;

const acceptedOf = ({ status, body }: Answer): Accepted | undefined => {
  if ((status !== 200 && status !== 202) || !isObject(body)) return undefined;
  const [id, state] = [idIn(body.id), stateIn(body)];
  if (id === undefined || state === undefined) return undefined;
  const statusUrl = typeof body.statusUrl === 'string' && /^https?:\/\/[!-~]+$/.test(body.statusUrl);
  const warnings = Array.isArray(body.warnings) ? (shown(body.warnings) as Accepted['warnings']) : undefined;
  return {
    id,
    state,
    ...(statusUrl ? { statusUrl: String(body.statusUrl) } : {}),
    ...(warnings === undefined ? {} : { warnings }),
  };
};

/** Decides what one request means, as docs/api.md has it ("When to repeat a request"). */
export const verdictOf = (came: Came, now: Date): Verdict => {
  if ('failure' in came) return ofFailure(came.failure);
  const { answer } = came;
  const { status, headers } = answer;
  const mail = acceptedOf(answer);
  if (mail !== undefined)
    return { kind: 'accepted', mail, repeated: headers.get('idempotent-replayed') === 'true' };
  const problem = problemOf(answer);
  const said = problem === undefined ? { status } : { status, problem };
  const again = (isUncertain: boolean): Verdict => {
    const afterMs = parseRetryAfter(headers.get('retry-after'), now);
    return { kind: 'again', isUncertain, ...said, ...(afterMs === undefined ? {} : { afterMs }) };
  };
  if (problem === undefined) {
    if (status === 429) return again(false);
    // A 2xx that is not of the relay too: what wrote it may have passed the request on.
    if (status >= 500 || status === 408 || (status >= 200 && status < 300)) return again(true);
    return { kind: 'refused', status, settles: false };
  }
  if (SAYS_NOT_WHETHER_SENT.test(problem.code)) return { kind: 'unknown', status, problem };
  if (problem.code === 'IDEMPOTENCY_KEY_REUSED') return { kind: 'known', status, problem };
  // The first request with this key is in progress.
  if (status === 409) return again(true);
  if (status === 429 || status === 503) return again(false);
  // Only a problem about an email of the ledger has an id. Others, such as SETTINGS_INVALID, can come before the relay looks for the key.
  return { kind: 'refused', status, problem, settles: typeof problem.id === 'string' };
};

const ofFailure = (failure: unknown): Verdict => {
  const { code, syscall } = causeOf(failure);
  if (NOT_TRUSTED.test(code)) return { kind: 'untrusted', cause: failure };
  const isUncertain = !(NEVER_CONNECTED.test(code) || syscall === 'connect');
  return { kind: 'again', isUncertain, cause: failure };
};

/** fetch throws a TypeError whose cause says what happened. */
const causeOf = (failure: unknown): { readonly code: string; readonly syscall: unknown } => {
  const cause = isObject(failure) && isObject(failure.cause) ? failure.cause : failure;
  return isObject(cause)
    ? { code: String(cause.code ?? ''), syscall: cause.syscall }
    : { code: '', syscall: '' };
};
