import type { Caller } from '../callers/caller.ts';
import { dayOf, isLimited, type UsageToday, usageOf } from '../callers/quota.ts';
import type { Ports } from '../ports.ts';

/**
 * What a caller has taken of its limits today. It includes what instances hold for its next emails, so it is exact to a block of each.
 * Undefined for a caller without limits: its emails are not counted. Throws STORAGE_UNAVAILABLE.
 */
export const readUsage = async (
  { usages, clock }: Pick<Ports, 'usages' | 'clock'>,
  { name, rules }: Pick<Caller, 'name' | 'rules'>,
): Promise<UsageToday | undefined> => {
  if (!isLimited(rules)) return undefined;
  const now = clock.now();
  return usageOf(rules, (await usages.read(dayOf(now), name)).taken, now);
};
