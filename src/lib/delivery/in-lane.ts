import type { InState } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { Pace, Pacer } from '../sending/pacing.ts';
import { decideOutcome, type SendOutcome } from '../sending/send-outcome.ts';
import type { SendPlan } from '../sending/send-plan.ts';
import { decidePause } from '../sending/wait.ts';

export type LaneNeeds = Pick<Ports, 'mailboxes' | 'clock' | 'random'> & { readonly pacer: Pacer };

/** What came of the wish to send an email now. */
export type LaneResult =
  /** Its mailbox has no room: it waits for so long, with a time that is kept for it (`wait`) or without one (`full`). */
  | { readonly kind: 'wait' | 'full'; readonly waitMs: number }
  /** Another invocation changed the row before this one could claim it. */
  | { readonly kind: 'beaten' }
  | ({ readonly kind: 'ended'; readonly outcome: SendOutcome } & LedgerEntry<InState<'sending'>>);

type Waiter = Pick<Envelope, 'mailId' | 'dueAt'> & {
  /** It came from the queue, and goes back to it rather than keep the invocations of other mailboxes. */
  readonly givesWay?: boolean;
};

/** The longest anything waits inside an invocation; longer waits belong to the queue. */
const PATIENCE_MS = 2000;

/**
 * Sends an email within the limits of its mailbox: enters the lane, claims the row, attempts the email, and leaves the lane
 * however that ends. `claim` gives undefined when another invocation has the email.
 */
export const sendInLane = async (
  needs: LaneNeeds,
  plan: SendPlan,
  who: Waiter,
  claim: () => Promise<LedgerEntry<InState<'sending'>> | undefined>,
): Promise<LaneResult> => {
  const lane = laneOf(plan);
  const pace = await enterLane(needs, lane, who);
  if (pace.kind !== 'go') return pace;
  try {
    const claimed = await claim();
    if (claimed === undefined) return { kind: 'beaten' };
    const outcome = await attemptMail(needs, plan);
    closeIfThrottled(needs, lane, outcome);
    return { kind: 'ended', ...claimed, outcome };
  } finally {
    needs.pacer.leave(lane);
  }
};

/** Asks to go, and waits a moment where only requests under way are in front. */
const enterLane = async (
  { pacer, clock, random }: LaneNeeds,
  lane: string,
  { mailId, dueAt, givesWay = false }: Waiter,
): Promise<Exclude<Pace, { kind: 'busy' }>> => {
  let patience: Promise<'over'> | undefined;
  for (;;) {
    const pace = pacer.enter(lane, mailId, clock.now(), dueAt);
    // So that those without a time do not come back together.
    if (pace.kind === 'full') return { ...pace, waitMs: Math.ceil(pace.waitMs * (0.5 + 0.5 * random())) };
    if (pace.kind !== 'busy') return pace;
    if (pace.isCrowded && givesWay) return { kind: 'wait', waitMs: PATIENCE_MS * (1 + random()) };
    patience ??= clock.sleep(PATIENCE_MS).then(() => 'over');
    if ((await Promise.race([pacer.freed(lane), patience])) === 'over')
      return { kind: 'wait', waitMs: PATIENCE_MS * (1 + random()) };
  }
};

/** Tries an email once; once more only where Graph refused the token, for which the adapter has made a new one. */
const attemptMail = async ({ mailboxes, clock }: LaneNeeds, plan: SendPlan): Promise<SendOutcome> => {
  if (plan.kind === 'draft') throw new Error('drafts are not sent yet');
  const attempt = async () => decideOutcome(await mailboxes.send(plan), clock.now());
  const outcome = await attempt();
  return outcome.kind === 'not-sent' && outcome.code === 'GRAPH_TOKEN_NOT_ACCEPTED' ? attempt() : outcome;
};

const closeIfThrottled = ({ pacer, clock, random }: LaneNeeds, lane: string, outcome: SendOutcome): void => {
  if (outcome.kind !== 'not-sent' || outcome.code !== 'GRAPH_THROTTLED') return;
  const now = clock.now();
  pacer.pause(lane, new Date(now.getTime() + decidePause(outcome.waitMs, random())), now);
};

/** Limits hold for a mailbox, however its address is written. */
const laneOf = ({ mailbox }: SendPlan): string => mailbox.toLowerCase();
