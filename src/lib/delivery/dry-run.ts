import type { Caller } from '../callers/caller.ts';
import { type Priority, USUAL_PRIORITY } from '../mail/priority.ts';
import { decideSendAt } from '../mail/send-at.ts';
import { type DescribedRequest, describePlan } from '../sending/describe-plan.ts';
import type { SendPlan } from '../sending/send-plan.ts';
import { judgeMail, planFor } from './accept-mail.ts';
import { type KeyedInput, withKey } from './request-key.ts';
import type { SendMailNeeds } from './send-mail.ts';
import { withWholeMessage } from './whole-message.ts';

/** What would be done with an email, and what Graph would be asked. */
export type DryRun = {
  readonly sender: string;
  readonly recipients: number;
  /** Absent where it is normal. */
  readonly priority?: Priority;
  readonly sendAt?: string;
  /** It would go to another address instead of its recipients. */
  readonly redirected?: true;
  /** It would be kept for the inbox page. The requests are those that would be kept. */
  readonly captured?: true;
  readonly plan: Pick<SendPlan, 'kind' | 'reason' | 'warnings'>;
  readonly requests: readonly DescribedRequest[];
};

/** Stands where the id of an email would. */
const NO_ID = '00000000-0000-0000-0000-000000000000';

export type DryRunNeeds = Pick<SendMailNeeds, 'accept' | 'attachments' | 'room' | 'clock'>;

/** Judges and plans an email and does nothing else. Throws what sending it would throw before anything was asked. */
export const planAlone = async (needs: DryRunNeeds, caller: Caller, request: KeyedInput) => {
  const { input } = withKey(request);
  const judged = judgeMail(needs.accept, caller, 'http', await withWholeMessage(needs, input));
  const acceptedAt = needs.clock.now();
  const plan = await planFor(needs, needs.accept, { mailId: NO_ID, acceptedAt }, judged);
  return { judged, acceptedAt, plan };
};

/**
 * Says what would be done with an email and does nothing else: nobody is asked to send it, and the ledger does not hear of it, so that
 * its idempotency key stays unused. Throws what sending it would throw before anything was asked.
 */
export const dryRunMail = async (
  needs: DryRunNeeds,
  caller: Caller,
  request: KeyedInput,
): Promise<DryRun> => {
  const { judged, acceptedAt, plan } = await planAlone(needs, caller, request);
  const { mail, sender, priority } = judged;
  const sendAt = decideSendAt(mail.sendAt, acceptedAt);
  const { kind, reason, warnings } = plan;
  return {
    sender: sender.address,
    recipients: mail.to.length + mail.cc.length + mail.bcc.length,
    ...(priority === USUAL_PRIORITY ? {} : { priority }),
    ...(sendAt === undefined ? {} : { sendAt }),
    ...(judged.handling.kind === 'redirect' ? { redirected: true } : {}),
    ...(judged.handling.kind === 'capture' ? { captured: true } : {}),
    plan: { kind, reason, warnings },
    requests: describePlan(plan),
  };
};
