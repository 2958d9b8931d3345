import type { UsageToday } from '../callers/quota.ts';
import { defined } from '../defined.ts';
import type { Ports } from '../ports.ts';
import { type RegisterNeeds, readRegister } from './caller-register.ts';
import { readUsage } from './read-usage.ts';
import { type CallerView, toCallerView } from './show-callers.ts';

/** A caller, and what it has taken of its limits today; without limits nothing is counted. */
export type CallerToday = { readonly caller: CallerView; readonly today?: UsageToday };

/** All callers by name, those that exist by themselves first. Throws SETTINGS_INVALID, STORAGE_UNAVAILABLE. */
export const readCallersToday = async (
  needs: Pick<RegisterNeeds, 'callerStore' | 'declaredInSettings'> & Pick<Ports, 'usages' | 'clock'>,
): Promise<readonly CallerToday[]> => {
  const entries = await readRegister(needs);
  return Promise.all(
    entries.map(
      async (entry): Promise<CallerToday> => ({
        caller: toCallerView(entry),
        ...defined({ today: await readUsage(needs, entry.caller) }),
      }),
    ),
  );
};
