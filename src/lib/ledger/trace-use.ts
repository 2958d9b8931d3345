import type { Reason } from '../errors.ts';

/*
 * Exchange takes 100 requests for message traces in five minutes from everybody in a tenant together, administrators and their tools
 * included (https://learn.microsoft.com/exchange/monitoring/trace-an-email-message/graph-api-message-trace, Throttling). The relay takes a
 * fifth of them at most, with all its instances.
 */

export const TRACE_REQUESTS = 20;
export const TRACE_WINDOW_MS = 5 * 60_000;
/** Of these, callers leave some to the people who run the relay. */
export const TRACE_REQUESTS_OF_CALLERS = 15;
/** What was counted is asked within this time, or not at all; and as much counts longer than it must. */
export const TRACE_MARGIN_MS = 30_000;

const COUNTS_MS = TRACE_WINDOW_MS + TRACE_MARGIN_MS;
/** However long Exchange asks to wait. */
const LONGEST_CLOSE_MS = 60 * 60_000;

/** What was used of the message trace of one tenant. */
export type TraceUse = {
  /** When requests were counted, oldest first. */
  readonly requests: readonly string[];
  /** Nobody asks until then, for this reason. */
  readonly closed?: { readonly until: string; readonly reason: Reason };
};

export const NO_TRACE_USE: TraceUse = { requests: [] };

export type Taken =
  | { readonly kind: 'taken'; readonly use: TraceUse }
  | { readonly kind: 'wait'; readonly until: Date; readonly reason: Reason };

/** What still counts. A time that lies further ahead than a request counts was written by a clock that was wrong. */
const counting = ({ requests }: TraceUse, now: number): readonly string[] =>
  requests.filter((at) => Math.abs(now - Date.parse(at)) < COUNTS_MS).toSorted();

/** Counts one request, of at most `most`, or says until when none may be made. */
export const takeRequest = (use: TraceUse, now: Date, most = TRACE_REQUESTS): Taken => {
  const { closed } = use;
  if (closed !== undefined && isAhead(closed.until, now))
    return { kind: 'wait', until: new Date(closed.until), reason: closed.reason };
  const requests = counting(use, now.getTime());
  const oldestInTheWay = requests.at(-most);
  if (oldestInTheWay !== undefined)
    return {
      kind: 'wait',
      until: new Date(Date.parse(oldestInTheWay) + COUNTS_MS),
      reason: { code: 'TRACE_LIMIT_REACHED' },
    };
  return { kind: 'taken', use: { requests: [...requests, now.toISOString()] } };
};

/** Nobody asks for this long, because of what Graph said. */
export const closeTrace = (use: TraceUse, now: Date, ms: number, reason: Reason): TraceUse => ({
  requests: counting(use, now.getTime()),
  closed: { until: new Date(now.getTime() + Math.min(ms, LONGEST_CLOSE_MS)).toISOString(), reason },
});

const isAhead = (until: string, now: Date): boolean => {
  const left = Date.parse(until) - now.getTime();
  return left > 0 && left <= LONGEST_CLOSE_MS;
};

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Under which name requests to a tenant are counted. Settings can name one tenant in two ways, by its id and by a domain; where that may be so,
 * all are counted together.
 */
export const traceUseNameOf = (tenantId: string, all: readonly string[]): string => {
  const different = new Set([tenantId, ...all].map((one) => one.toLowerCase()));
  return different.size === 1 || [...different].every((one) => GUID.test(one))
    ? tenantId.toLowerCase()
    : 'all-tenants';
};
