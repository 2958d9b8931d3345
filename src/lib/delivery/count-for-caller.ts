import { limitReached } from '../callers/quota.ts';
import type { AcceptableMail } from './accept-mail.ts';
import { notStored } from './attempt-for-caller.ts';
import type { Taken } from './purse.ts';
import { type TellOfLimitNeeds, tellOfLimit } from './tell-of-limit.ts';

/**
 * Counts an email towards the limit of its caller, who waits for the answer. Throws CALLER_LIMIT_REACHED, CALLER_LIMIT_TOO_LOW, and
 * MAIL_NOT_STORED where nobody knows what is left.
 */
export const countForCaller = async (
  needs: TellOfLimitNeeds,
  { caller, facts: { recipients } }: Pick<AcceptableMail, 'caller' | 'facts'>,
): Promise<Taken> => {
  const now = needs.clock.now();
  const taken = await needs.quotas.take(caller, recipients, now).catch(notStored);
  if (taken.kind === 'taken') return taken;
  await tellOfLimit(needs, caller, taken);
  throw limitReached(caller, recipients, taken, now);
};
