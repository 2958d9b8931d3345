import { parseRetryAfter } from '../sending/retry-after.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After each failed attempt, as Standard Webhooks suggests, within a day: 20.6 hours, and up to a fifth more. */
const WAITS_MS = [
  5 * SECOND,
  MINUTE,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  4 * HOUR,
  6 * HOUR,
  8 * HOUR,
] as const;
/** The most that one answer can ask for: a day would be the whole time that there is. */
const LONGEST_ASKED_MS = HOUR;
/** So that events that failed together do not come back together. */
const JITTER = 0.2;

/** How often an event is posted to one receiver at most. */
export const MOST_ATTEMPTS = WAITS_MS.length + 1;

/** Why an attempt failed, for the log. */
export type WebhookFault =
  | 'status'
  | 'gone'
  | 'timeout'
  | 'connection'
  | 'proxy'
  /** The vault gave no secret to sign with. */
  | 'secret'
  /** Not tried, because the receiver has just failed several times. */
  | 'paused';

/** How one attempt ended. */
export type AttemptResult =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'failed'; readonly fault: Exclude<WebhookFault, 'status' | 'gone'> };

export type WebhookDecision =
  | { readonly kind: 'sent' }
  | { readonly kind: 'again'; readonly fault: WebhookFault; readonly waitMs: number }
  | { readonly kind: 'given-up'; readonly fault: WebhookFault };

const GONE = 410;

/**
 * Decides what follows from the attempt with this number, counted from 1. Whatever a receiver answers beside 2xx can be put right within
 * a day, also a 401 or a 404: only 410 says that it wants no more (Standard Webhooks, delivery success and failure).
 */
export const decideWebhook = (
  result: AttemptResult,
  attempt: number,
  { random, now }: { readonly random: number; readonly now: Date },
): WebhookDecision => {
  if (result.kind === 'answered' && result.status >= 200 && result.status < 300) return { kind: 'sent' };
  const fault =
    result.kind === 'failed'
      ? result.fault
      : result.status === GONE
        ? ('gone' as const)
        : ('status' as const);
  const wait = WAITS_MS[attempt - 1];
  if (fault === 'gone' || wait === undefined) return { kind: 'given-up', fault };
  const asked = result.kind === 'answered' ? (parseRetryAfter(result.retryAfter, now) ?? 0) : 0;
  const least = Math.max(wait, Math.min(asked, LONGEST_ASKED_MS));
  return { kind: 'again', fault, waitMs: Math.ceil(least * (1 + JITTER * random)) };
};
