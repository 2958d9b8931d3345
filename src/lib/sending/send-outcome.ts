import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { type UpstreamFacts, upstreamFacts } from '../errors.ts';
import { parseRetryAfter } from './retry-after.ts';

/** What was observed of one attempt to send: facts, no opinion. */
export type SendReport = Observation & {
  /** How long the request took. */
  readonly tookMs?: number;
};

type Observation =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter?: string;
      /** `error.code` of Graph's answer, where it could be read. */
      readonly upstreamCode?: string;
      readonly graphRequestId?: string;
      /** True when Graph says the request itself is larger than it reads. */
      readonly tooLarge?: true;
    }
  /** No token could be had, so nothing went to Graph. */
  | {
      readonly kind: 'no-token';
      readonly code: ErrorCode;
      readonly upstreamCode?: string;
      readonly retryAfter?: string;
    }
  /** DNS, TCP, TLS or a proxy failed: not a byte of the mail left. */
  | { readonly kind: 'not-connected'; readonly proxyRefusal?: string }
  /** The connection was made, and then no readable answer came. */
  | { readonly kind: 'lost'; readonly why: 'timeout' | 'connection' };

/** What was seen of the answer to the request that decided. */
export type AnswerFacts = UpstreamFacts & {
  /** The HTTP status, where there was one. */
  readonly status?: number;
  readonly tookMs?: number;
};

/** What came of the attempt: one of exactly four. */
export type SendOutcome =
  | ({ readonly kind: 'accepted' } & AnswerFacts)
  | ({ readonly kind: 'rejected'; readonly code: ErrorCode; readonly detail?: string } & AnswerFacts)
  /** Certainly not sent; `waitMs` is what the other side asked for, if it did. */
  | ({
      readonly kind: 'not-sent';
      readonly code: ErrorCode;
      readonly waitMs?: number;
      readonly detail?: string;
    } & AnswerFacts)
  /** `waitMs` where Graph also asked for a pause. */
  | ({
      readonly kind: 'unknown';
      readonly code: 'OUTCOME_UNKNOWN';
      readonly waitMs?: number;
    } & AnswerFacts);

/** Those facts of whatever has them. */
export const answerFacts = ({ status, tookMs, ...facts }: AnswerFacts): AnswerFacts => ({
  ...upstreamFacts(facts),
  ...defined({ status, tookMs }),
});

/** Exchange and Graph codes that say why, whatever the status beside them (Microsoft Graph: error responses; Exchange: ResponseCode). */
const REJECTIONS: Readonly<Record<string, ErrorCode>> = {
  ErrorInvalidRecipients: 'RECIPIENT_REFUSED',
  ErrorExceededMaxRecipientLimit: 'RECIPIENTS_TOO_MANY',
  ErrorAccessDenied: 'MAILBOX_OUT_OF_SCOPE',
  Authorization_RequestDenied: 'PERMISSION_NOT_GRANTED',
  ErrorSendAsDenied: 'SEND_AS_DENIED',
  MailboxNotEnabledForRESTAPI: 'MAILBOX_NOT_FOUND',
  ResourceNotFound: 'MAILBOX_NOT_FOUND',
  ErrorInvalidUser: 'MAILBOX_NOT_FOUND',
  ErrorNonExistentMailbox: 'MAILBOX_NOT_FOUND',
  Request_ResourceNotFound: 'MAILBOX_NOT_FOUND',
  ErrorMessageSizeExceeded: 'MAIL_TOO_LARGE_FOR_MAILBOX',
  ErrorQuotaExceeded: 'MAILBOX_FULL',
  quotaLimitReached: 'MAILBOX_FULL',
  ErrorMessageSubmissionBlocked: 'MAILBOX_BLOCKED',
  ErrorAccountSuspend: 'MAILBOX_BLOCKED',
};

/** Daily and hourly quotas of Exchange end by themselves, so the mail waits. */
const QUOTAS = new Set([
  'ErrorSubmissionQuotaExceeded',
  'ErrorExceededMessageLimit',
  'ErrorExceededHourlyMessageLimit',
]);
/** Quotas roll over 24 hours; asking more often only adds to the count. */
const QUOTA_WAIT_MS = 3_600_000;

type Answer = Extract<Observation, { kind: 'answered' }>;

/**
 * Decides what came of an attempt. Only an exact 202 is accepted, whatever stands beside it: a 202 may carry
 * Retry-After, and a 200 has been answered for mails that were dropped. What could have been sent although the
 * answer says otherwise is unknown, never "not sent".
 */
export const decideOutcome = (report: SendReport, now: Date): SendOutcome => ({
  ...decideReport(report, now),
  ...answerFacts(report),
});

const decideReport = (report: SendReport, now: Date): SendOutcome => {
  switch (report.kind) {
    case 'no-token':
      return {
        kind: 'not-sent',
        code: report.code,
        ...waiting(report.retryAfter, now),
      };
    case 'not-connected':
      return report.proxyRefusal === undefined
        ? { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' }
        : { kind: 'not-sent', code: 'PROXY_REFUSED', detail: report.proxyRefusal };
    case 'lost':
      return { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
    case 'answered':
      return decideAnswer(report, now);
  }
};

const decideAnswer = (answer: Answer, now: Date): SendOutcome => {
  const { status, upstreamCode = '', retryAfter } = answer;
  if (status === 202) return { kind: 'accepted' };
  if (status === 429) return { kind: 'not-sent', code: 'GRAPH_THROTTLED', ...waiting(retryAfter, now) };
  if (status >= 400 && QUOTAS.has(upstreamCode))
    return { kind: 'not-sent', code: 'MAILBOX_QUOTA_REACHED', waitMs: QUOTA_WAIT_MS };
  if (status === 401) return { kind: 'not-sent', code: 'GRAPH_TOKEN_NOT_ACCEPTED' };
  if (status === 503 || status === 509)
    return { kind: 'not-sent', code: 'GRAPH_UNAVAILABLE', ...waiting(retryAfter, now) };
  if (status === 507) return { kind: 'rejected', code: 'MAILBOX_FULL' };
  if (status >= 500 || status === 408) return { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
  if (status < 400) return { kind: 'rejected', code: 'GRAPH_ANSWER_UNEXPECTED' };
  if (status === 413 || answer.tooLarge) return { kind: 'rejected', code: 'MAIL_TOO_LARGE_FOR_MAILBOX' };
  return {
    kind: 'rejected',
    code: Object.hasOwn(REJECTIONS, upstreamCode)
      ? (REJECTIONS[upstreamCode] ?? 'GRAPH_REFUSED')
      : 'GRAPH_REFUSED',
  };
};

const waiting = (retryAfter: string | undefined, now: Date): { readonly waitMs?: number } => {
  return defined({ waitMs: parseRetryAfter(retryAfter, now) });
};
