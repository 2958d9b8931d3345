import type { LookedFor, RecipientDelivery, ReplayedBy } from '../ledger/ledger-row.ts';
import type { MailStatus } from './mail-status.ts';

type Outcome = 'accepted' | 'rejected' | 'not-sent' | 'unknown';

/** One thing that happened to an email, as facts: what they mean in words is for whoever shows them. */
export type TimelineEvent = { readonly at: string } & (
  | { readonly kind: 'accepted'; readonly sendAt?: string }
  /** An operator replayed it, or its caller repeated its request. */
  | { readonly kind: 'replayed'; readonly by?: ReplayedBy }
  /** It was held, and is no more: the last time, and how often in all. */
  | { readonly kind: 'held-before'; readonly code: string; readonly times: number }
  | {
      readonly kind: 'attempt';
      readonly outcome: Outcome;
      readonly code?: string;
      readonly upstreamCode?: string;
      readonly graphRequestId?: string;
      /** The HTTP status of Graph, and how long its request took. */
      readonly status?: number;
      readonly tookMs?: number;
      /** What the other side asked for. */
      readonly waitMs?: number;
    }
  /** The relay has looked for it in the mailbox of its sender: so often, and this is what it saw the last time. */
  | { readonly kind: 'look-up'; readonly seen: LookedFor['seen']; readonly times: number }
  /** What somebody else than the relay said of a recipient. */
  | {
      readonly kind: 'delivery';
      readonly source: RecipientDelivery['source'];
      readonly status: RecipientDelivery['status'];
      /** Its place among the recipients, from 1. */
      readonly recipient?: number;
      readonly code?: string;
    }
  /** The state that it is in, or that it ended in. */
  | {
      readonly kind: 'state';
      readonly state: string;
      /** Sent: it was found in the mailbox of its sender. */
      readonly verified?: boolean;
      readonly until?: string;
      readonly code?: string;
      readonly note?: string;
    }
  /** Of a later version of the relay. */
  | { readonly kind: 'other'; readonly event: string; readonly facts: Readonly<Record<string, unknown>> }
);

const OUTCOMES: readonly string[] = [
  'accepted',
  'rejected',
  'not-sent',
  'unknown',
] satisfies readonly Outcome[];
const SEEN: readonly string[] = [
  'found',
  'absent',
  'draft',
  'never-sent',
  'cannot-tell',
  'not-now',
] satisfies readonly LookedFor['seen'][];
const ATTEMPT = /^attempt (.+)$/;
const LOOK_UP = /^look-up (.+)$/;
const DELIVERY = /^(trace|report) (delivered|pending|failed|quarantined|spam|expanded)$/;
const STATES: ReadonlySet<string> = new Set([
  ...['sending', 'deferred', 'unknown', 'sent', 'rejected', 'held', 'closed', 'canceled', 'captured'],
]);

/** The timeline of a status as the API has it, event by event, oldest first. */
export const readTimeline = (mail: Pick<MailStatus, 'timeline' | 'state'>): readonly TimelineEvent[] =>
  mail.timeline.map(({ at, event, ...facts }): TimelineEvent => {
    const outcome = ATTEMPT.exec(event)?.[1];
    if (event === 'accepted') return { at, kind: 'accepted', ...textsOf(mail, 'sendAt') };
    if (event === 'replayed') return { at, kind: 'replayed', ...(isBy(facts.by) ? { by: facts.by } : {}) };
    // The state of now has its reason beside the timeline.
    if (event === 'held' && typeof facts.code === 'string')
      return { at, kind: 'held-before', code: facts.code, times: Number(facts.times ?? 1) };
    if (outcome !== undefined && OUTCOMES.includes(outcome))
      return {
        at,
        kind: 'attempt',
        outcome: outcome as Outcome,
        ...textsOf(facts, 'code', 'upstreamCode', 'graphRequestId'),
        ...numbersOf(facts, 'status', 'tookMs', 'waitMs'),
      };
    const seen = LOOK_UP.exec(event)?.[1];
    if (seen !== undefined && SEEN.includes(seen))
      return { at, kind: 'look-up', seen: seen as LookedFor['seen'], times: Number(facts.times ?? 0) };
    const [, source, status] = DELIVERY.exec(event) ?? [];
    if (source !== undefined)
      return {
        at,
        kind: 'delivery',
        source: source as RecipientDelivery['source'],
        status: status as RecipientDelivery['status'],
        ...numbersOf(facts, 'recipient'),
        ...textsOf(facts, 'code'),
      };
    if (!STATES.has(event)) return { at, kind: 'other', event, facts };
    const { verified, reason } = mail as Readonly<Record<string, unknown>>;
    return {
      at,
      kind: 'state',
      state: event,
      ...(event === 'sent' && typeof verified === 'boolean' ? { verified } : {}),
      ...textsOf(mail, 'until', 'note'),
      ...(typeof reason === 'object' && reason !== null ? textsOf(reason, 'code') : {}),
    };
  });

const isBy = (value: unknown): value is ReplayedBy => value === 'operator' || value === 'application';

const numbersOf = <Name extends string>(
  from: Readonly<Record<string, unknown>>,
  ...names: readonly Name[]
): { readonly [Key in Name]?: number } =>
  Object.fromEntries(
    names.map((name) => [name, from[name]]).filter(([, value]) => typeof value === 'number'),
  );

const textsOf = <Name extends string>(
  from: object,
  ...names: readonly Name[]
): { readonly [Key in Name]?: string } =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = (from as Readonly<Record<string, unknown>>)[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  ) as { readonly [Key in Name]?: string };
