import { changesBetween } from '../callers/caller-audit.ts';
import type { Declaration } from '../callers/caller-definition.ts';
import { findSendersOutside } from '../callers/caller-fence.ts';
import { makeKey } from '../callers/caller-key.ts';
import { isBuiltIn } from '../callers/caller-name.ts';
import type { CallerEntry, StoredCaller } from '../callers/stored-caller.ts';
import { defined } from '../defined.ts';
import { AppError, problemsError } from '../errors.ts';
import {
  type By,
  type RegisterNeeds,
  readForChange,
  requireDeclaration,
  requireUnowned,
  withHashedKey,
  writeChange,
} from './caller-register.ts';
import { type CallerView, toChangedView } from './show-callers.ts';

/** The text of a key is in this answer, and never again. */
export type AddedCaller = { readonly caller: CallerView; readonly key?: string };

/** A key is made where the caller has nothing else to show by HTTP: one that nobody needs can only leak. */
const needsKey = ({ rules, apps, functionKeys }: Declaration): boolean =>
  rules.doors.includes('http') && apps.length === 0 && functionKeys.length === 0;

const requireFree = (entries: readonly CallerEntry[], name: string): void => {
  if (isBuiltIn(name)) throw new AppError('CALLER_BUILT_IN');
  const found = entries.find(({ caller }) => caller.name === name);
  if (found?.declaredIn === 'settings') throw new AppError('CALLER_DECLARED_IN_SETTINGS');
  if (found === undefined) return;
  throw new AppError(
    'CALLER_EXISTS',
    found.declaredIn === 'relay'
      ? {}
      : { detail: `What the relay still keeps of it can be removed: npm run callers -- remove ${name}` },
  );
};

/**
 * Declares a caller. Throws CALLER_INVALID, CALLER_EXISTS, CALLER_BUILT_IN, CALLER_DECLARED_IN_SETTINGS,
 * CALLER_CREDENTIAL_TAKEN, CALLER_CHANGED.
 */
export const addCaller = async (needs: RegisterNeeds, input: unknown, by: By): Promise<AddedCaller> => {
  const declaration = requireDeclaration(withHashedKey(input));
  const { name } = declaration;
  const { entries, version } = await readForChange(needs);
  requireFree(entries, name);
  const outside = findSendersOutside(declaration, needs.senderPolicy());
  if (outside.length > 0) throw problemsError(outside);
  requireUnowned(entries, declaration);
  const now = needs.clock.now();
  const key = needsKey(declaration) ? makeKey(now) : undefined;
  const at = now.toISOString();
  const stored: StoredCaller = {
    name,
    declaration,
    isDisabled: declaration.rules.isDisabled,
    keys: key === undefined ? [] : [key.record],
    createdAt: at,
    updatedAt: at,
  };
  await writeChange(
    needs,
    { caller: stored },
    {
      ...by,
      caller: name,
      action: 'added',
      changes: changesBetween(undefined, declaration),
      ...defined({ keyId: key?.record.id }),
    },
    version,
  );
  const { keys, createdAt, updatedAt } = stored;
  const caller = { ...declaration, keys, createdAt, updatedAt };
  return { caller: toChangedView(needs, { declaredIn: 'relay', caller }), ...defined({ key: key?.text }) };
};
