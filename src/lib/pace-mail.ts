import { type AttemptNeeds, attemptMail } from './attempt-mail.ts';
import type { Pacer } from './mail/pacing.ts';
import type { SendOutcome } from './mail/send-outcome.ts';
import type { SendPlan } from './mail/send-plan.ts';
import { decideWait } from './mail/wait.ts';

export type PaceNeeds = AttemptNeeds & { readonly pacer: Pacer; readonly random: () => number };

/** Attempts a mail that has entered its lane, leaves the lane, and closes it for a while when Graph says so. */
export const attemptInLane = async (needs: PaceNeeds, plan: SendPlan): Promise<SendOutcome> => {
  try {
    const outcome = await attemptMail(needs, plan);
    if (outcome.kind === 'not-sent' && outcome.code === 'GRAPH_THROTTLED') {
      const now = needs.now();
      const waitMs = decideWait(1, outcome.waitMs, needs.random());
      needs.pacer.pause(laneOf(plan), new Date(now.getTime() + waitMs), now);
    }
    return outcome;
  } finally {
    needs.pacer.leave(laneOf(plan));
  }
};

/** Limits hold for a mailbox, however its address is written. */
export const laneOf = ({ mailbox }: SendPlan): string => mailbox.toLowerCase();
