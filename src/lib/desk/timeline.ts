import type { MailStatus } from './mail-status.ts';

type Outcome = 'accepted' | 'rejected' | 'not-sent' | 'unknown';

/** One thing that happened to an email, as facts: what they mean in words is for whoever shows them. */
export type TimelineEvent = { readonly at: string } & (
  | { readonly kind: 'accepted'; readonly sendAt?: string }
  /** An operator replayed it, or its caller repeated it after a rejection. */
  | { readonly kind: 'replayed' }
  | {
      readonly kind: 'attempt';
      readonly outcome: Outcome;
      readonly code?: string;
      readonly upstreamCode?: string;
      readonly graphRequestId?: string;
      /** What the other side asked for. */
      readonly waitMs?: number;
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
const ATTEMPT = /^attempt (.+)$/;
const STATES: ReadonlySet<string> = new Set([
  ...['sending', 'deferred', 'unknown', 'sent', 'rejected', 'held', 'closed', 'canceled', 'captured'],
]);

/** The timeline of a status as the API has it, event by event, oldest first. */
export const readTimeline = (mail: Pick<MailStatus, 'timeline' | 'state'>): readonly TimelineEvent[] =>
  mail.timeline.map(({ at, event, ...facts }): TimelineEvent => {
    const outcome = ATTEMPT.exec(event)?.[1];
    if (event === 'accepted') return { at, kind: 'accepted', ...textsOf(mail, 'sendAt') };
    if (event === 'replayed') return { at, kind: 'replayed' };
    if (outcome !== undefined && OUTCOMES.includes(outcome))
      return {
        at,
        kind: 'attempt',
        outcome: outcome as Outcome,
        ...textsOf(facts, 'code', 'upstreamCode', 'graphRequestId'),
        ...(typeof facts.waitMs === 'number' ? { waitMs: facts.waitMs } : {}),
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
