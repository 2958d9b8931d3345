import type { Reason } from '../errors.ts';
import {
  closeTrace,
  TRACE_MARGIN_MS,
  TRACE_REQUESTS,
  TRACE_REQUESTS_OF_CALLERS,
  takeRequest,
} from '../ledger/trace-use.ts';
import type { Ports, TraceFailure } from '../ports.ts';

export type TraceRequestNeeds = Pick<Ports, 'traceUses' | 'clock'>;

/** Who asks: callers leave some requests to the people who run the relay. */
export type TraceAsker = 'operator' | 'caller';

/** Why a request was not made, or failed; and from when on it can be made again, where that is known. */
export type NotAsked = { readonly kind: 'not-asked'; readonly reason: Reason; readonly until?: Date };

/** Each conflict means that another instance has counted a request; so many at the same time are too many anyway. */
const TRIES = 4;
/** What nobody can correct within minutes is not asked again with every status: each request is one of the limit. */
const CLOSED_MS: Readonly<Partial<Record<Reason['code'], number>>> = {
  TRACE_PRINCIPAL_MISSING: 5 * 60_000,
  TRACE_NOT_PERMITTED: 5 * 60_000,
  TRACE_REFUSED: 60_000,
  TRACE_THROTTLED: 5 * 60_000,
  TRACE_UNAVAILABLE: 30_000,
};

/**
 * Makes one request to the message trace of a tenant, counted before it is made with all those of all instances. A process that dies in between
 * has used up one request, which counts no more after minutes. A failure keeps everybody from asking for a while.
 */
export const askTrace = async <Answer extends { readonly kind: 'rows' | 'events' }>(
  needs: TraceRequestNeeds,
  tenant: string,
  asker: TraceAsker,
  ask: () => Promise<Answer | TraceFailure>,
): Promise<Answer | NotAsked> => {
  const counted = await count(
    needs,
    tenant,
    asker === 'operator' ? TRACE_REQUESTS : TRACE_REQUESTS_OF_CALLERS,
  );
  if (counted.kind === 'not-asked') return counted;
  const answer = await ask();
  if (answer.kind !== 'failed') return answer as Answer;
  const { reason, waitMs = 0 } = answer;
  const closedMs = Math.max(waitMs, CLOSED_MS[reason.code] ?? 0);
  if (closedMs > 0) await close(needs, tenant, closedMs, reason);
  return {
    kind: 'not-asked',
    reason,
    ...(closedMs > 0 ? { until: new Date(needs.clock.now().getTime() + closedMs) } : {}),
  };
};

const count = async (
  { traceUses, clock }: TraceRequestNeeds,
  tenant: string,
  most: number,
): Promise<{ readonly kind: 'counted' } | NotAsked> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const begun = clock.now();
    const { use, etag, now = begun } = await traceUses.read(tenant);
    const taken = takeRequest(use, now, most);
    // By the clock of whoever is told: the clock of storage may be another one.
    if (taken.kind === 'wait')
      return {
        kind: 'not-asked',
        reason: taken.reason,
        until: new Date(begun.getTime() + taken.until.getTime() - now.getTime()),
      };
    if (!(await traceUses.write(tenant, taken.use, etag))) continue;
    // Were it made later than it was counted, others would count it no more too early.
    if (clock.now().getTime() - begun.getTime() < TRACE_MARGIN_MS) return { kind: 'counted' };
  }
  return { kind: 'not-asked', reason: { code: 'TRACE_LIMIT_REACHED' } };
};

/** Where it cannot be written, the next who asks learns the same. */
const close = async (
  { traceUses, clock }: TraceRequestNeeds,
  tenant: string,
  ms: number,
  reason: Reason,
): Promise<void> => {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const written = await traceUses
      .read(tenant)
      .then(({ use, etag, now = clock.now() }) =>
        traceUses.write(tenant, closeTrace(use, now, ms, reason), etag),
      )
      .catch(() => true);
    if (written) return;
  }
};
