import type { Envelope } from '../ledger/queue-message.ts';
import type { Pace, Pacer } from '../sending/pacing.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import type { SendPlan } from '../sending/send-plan.ts';
import { decidePause } from '../sending/wait.ts';
import { type AttemptNeeds, attemptMail } from './attempt-mail.ts';

export type PaceNeeds = AttemptNeeds & {
  readonly pacer: Pacer;
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

/** The longest anything waits inside an invocation; longer waits belong to the queue. */
const PATIENCE_MS = 2000;

/**
 * Asks to go, and waits a moment where only requests under way are in front. What comes of it is `go`, after which
 * the lane must be left; or how long the mail has to wait on the queue, with a time kept for it (`wait`) or without
 * one (`full`).
 */
export const enterLane = async (
  needs: PaceNeeds,
  plan: SendPlan,
  { mailId, dueAt }: Pick<Envelope, 'mailId' | 'dueAt'>,
): Promise<Exclude<Pace, { kind: 'busy' }>> => {
  const lane = laneOf(plan);
  let patience: Promise<'over'> | undefined;
  for (;;) {
    const pace = needs.pacer.enter(lane, mailId, needs.now(), dueAt);
    // So that those without a time do not come back together.
    if (pace.kind === 'full')
      return { ...pace, waitMs: Math.ceil(pace.waitMs * (0.5 + 0.5 * needs.random())) };
    if (pace.kind !== 'busy') return pace;
    patience ??= needs.sleep(PATIENCE_MS).then(() => 'over');
    if ((await Promise.race([needs.pacer.freed(lane), patience])) === 'over')
      return { kind: 'wait', waitMs: PATIENCE_MS * (1 + needs.random()) };
  }
};

export const leaveLane = (needs: PaceNeeds, plan: SendPlan): void => needs.pacer.leave(laneOf(plan));

/** Attempts a mail that has entered its lane, leaves the lane, and closes it for a while when Graph says so. */
export const attemptInLane = async (needs: PaceNeeds, plan: SendPlan): Promise<SendOutcome> => {
  try {
    const outcome = await attemptMail(needs, plan);
    if (outcome.kind === 'not-sent' && outcome.code === 'GRAPH_THROTTLED') {
      const now = needs.now();
      const pauseMs = decidePause(outcome.waitMs, needs.random());
      needs.pacer.pause(laneOf(plan), new Date(now.getTime() + pauseMs), now);
    }
    return outcome;
  } finally {
    leaveLane(needs, plan);
  }
};

/** Limits hold for a mailbox, however its address is written. */
const laneOf = ({ mailbox }: SendPlan): string => mailbox.toLowerCase();
