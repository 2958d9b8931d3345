import { decideOutcome, type SendOutcome, type SendReport } from '../sending/send-outcome.ts';
import type { SendPlan } from '../sending/send-plan.ts';

/** Sends by the plan and reports what was observed; never throws for what the network or Graph does. */
export type SendThroughGraph = (plan: SendPlan) => Promise<SendReport>;

export type AttemptNeeds = { readonly sendThroughGraph: SendThroughGraph; readonly now: () => Date };

/** Tries a mail once; again at once only where Graph refused the token, for which the adapter has made a new one. */
export const attemptMail = async (needs: AttemptNeeds, plan: SendPlan): Promise<SendOutcome> => {
  const attempt = async () => decideOutcome(await needs.sendThroughGraph(plan), needs.now());
  const outcome = await attempt();
  return outcome.kind === 'not-sent' && outcome.code === 'GRAPH_TOKEN_NOT_ACCEPTED' ? attempt() : outcome;
};
