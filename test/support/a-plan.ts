import type { Address } from '../../src/lib/mail/address.ts';
import { readMail } from '../../src/lib/mail/read-mail.ts';
import { outgoing } from '../../src/lib/sending/outgoing-mail.ts';
import { type DirectPlan, type PlanPolicy, planSend } from '../../src/lib/sending/send-plan.ts';

/** What a relay allows whose settings say nothing. */
export const STANDARD: PlanPolicy = { largeAttachments: false, delivery: 'standard' };

/** When the mails of the tests were accepted. */
export const ACCEPTED_AT = new Date('2026-03-02T08:00:00Z');

/** The plan of a mail whose files are all in it. */
export const planOf = (
  id: string,
  sender: Address,
  input: Record<string, unknown>,
  policy: PlanPolicy = STANDARD,
) => planSend(id, sender, outgoing(readMail(input)), policy, ACCEPTED_AT);

/** The plan of a mail that goes in one request. */
export const directPlanOf = async (
  id: string,
  sender: Address,
  input: Record<string, unknown>,
): Promise<DirectPlan> => {
  const plan = await planOf(id, sender, input);
  if (plan.kind === 'draft') throw new TypeError('this mail goes as a draft');
  return plan;
};
