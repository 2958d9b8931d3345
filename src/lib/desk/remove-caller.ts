import { changesBetween } from '../callers/caller-audit.ts';
import { isBuiltIn } from '../callers/caller-name.ts';
import { AppError } from '../errors.ts';
import { type By, entryOf, type RegisterNeeds, readForChange, writeChange } from './caller-register.ts';

export type RemovedCaller = { readonly name: string; readonly removed: true };

/**
 * Removes a caller with its keys. Its emails that wait are held when they are due (CALLER_REMOVED), and can be replayed once the
 * name is declared again. Throws CALLER_NOT_FOUND, CALLER_BUILT_IN, CALLER_DECLARED_IN_SETTINGS, CALLER_CHANGED.
 */
export const removeCaller = async (needs: RegisterNeeds, name: string, by: By): Promise<RemovedCaller> => {
  const { entries, version } = await readForChange(needs);
  const { caller, declaredIn, stored } = entryOf(entries, name);
  // Without what is kept of it, it would be open.
  if (isBuiltIn(caller.name)) throw new AppError('CALLER_BUILT_IN');
  if (declaredIn === 'settings')
    throw new AppError('CALLER_DECLARED_IN_SETTINGS', {
      detail: 'Once it is not declared there, the same command removes its keys.',
    });
  const changes = changesBetween(stored?.declaration, undefined);
  await writeChange(
    needs,
    { removed: caller.name },
    { ...by, caller: caller.name, action: 'removed', changes },
    version,
  );
  return { name: caller.name, removed: true };
};
