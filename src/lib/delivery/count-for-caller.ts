import { limitReached } from '../callers/quota.ts';
import type { Ports } from '../ports.ts';
import type { AcceptableMail } from './accept-mail.ts';
import { notStored } from './attempt-for-caller.ts';
import type { Taken } from './purse.ts';
import { type QuotaNeeds, type TellOfLimitNeeds, tellOfLimit } from './tell-of-limit.ts';

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

/**
 * Whether the ledger has an email already, asked only near the limit of its caller: there, a repeat that is counted until the ledger
 * knows it would keep a new email out. Throws STORAGE_UNAVAILABLE.
 */
export const isKnownNearLimit = async (
  { quotas, ledger, clock }: QuotaNeeds & Pick<Ports, 'ledger' | 'clock'>,
  { caller, facts: { mailId, recipients } }: Pick<AcceptableMail, 'caller' | 'facts'>,
): Promise<boolean> =>
  (await quotas.isNearLimit(caller, recipients, clock.now())) && (await ledger.find(mailId)) !== undefined;
