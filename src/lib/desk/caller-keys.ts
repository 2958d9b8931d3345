import { makeKey } from '../callers/caller-key.ts';
import { isBuiltIn } from '../callers/caller-name.ts';
import type { CallerEntry } from '../callers/stored-caller.ts';
import { AppError } from '../errors.ts';
import { type By, entryOf, type RegisterNeeds, readForChange, writeChange } from './caller-register.ts';
import { storedOf } from './change-caller.ts';
import { type CallerView, toCallerView } from './show-callers.ts';

/** As many as a rotation needs: the one in use, and the next. */
const MAX_KEYS = 2;

/** Throws CALLER_BUILT_IN, CALLER_NOT_FOUND, CALLER_UNREADABLE where a caller has no keys of the relay. */
const requireKeyed = ({ declaredIn, caller }: CallerEntry, isRevoking: boolean): void => {
  if (isBuiltIn(caller.name)) throw new AppError('CALLER_BUILT_IN');
  if (declaredIn === 'unreadable') throw new AppError('CALLER_UNREADABLE');
  if (declaredIn === 'nowhere' && !isRevoking) throw new AppError('CALLER_NOT_FOUND');
};

/** The text of the key is in this answer, and never again. */
export type MadeKey = {
  readonly name: string;
  readonly id: string;
  readonly key: string;
  /** All that work now, this one last. */
  readonly keys: CallerView['keys'];
};

/** Makes a key beside the one that a caller has. Throws CALLER_KEYS_FULL, and what `requireKeyed` throws. */
export const makeCallerKey = async (needs: RegisterNeeds, name: string, by: By): Promise<MadeKey> => {
  const { entries, version } = await readForChange(needs);
  const entry = entryOf(entries, name);
  requireKeyed(entry, false);
  const now = needs.clock.now();
  const stored = storedOf(entry, now.toISOString());
  if (stored.keys.length >= MAX_KEYS)
    throw new AppError('CALLER_KEYS_FULL', {
      detail: `Its keys: ${stored.keys.map(({ id, createdAt }) => `${id}, made ${createdAt}`).join('; ')}.`,
    });
  const { text, record } = makeKey(now);
  const keys = [...stored.keys, record];
  await writeChange(
    needs,
    { caller: { ...stored, keys, updatedAt: now.toISOString() } },
    { ...by, caller: stored.name, action: 'key-made', changes: [], keyId: record.id },
    version,
  );
  return {
    name: stored.name,
    id: record.id,
    key: text,
    keys: keys.map(({ id, createdAt }) => ({ id, createdAt })),
  };
};

/** Revokes a key. Throws CALLER_KEY_NOT_FOUND, and what `requireKeyed` throws. */
export const revokeCallerKey = async (
  needs: RegisterNeeds,
  name: string,
  id: string,
  by: By,
): Promise<CallerView> => {
  const { entries, version } = await readForChange(needs);
  const entry = entryOf(entries, name);
  requireKeyed(entry, true);
  const now = needs.clock.now().toISOString();
  const stored = storedOf(entry, now);
  const keys = stored.keys.filter((key) => key.id !== id);
  if (keys.length === stored.keys.length) throw new AppError('CALLER_KEY_NOT_FOUND');
  await writeChange(
    needs,
    { caller: { ...stored, keys, updatedAt: now } },
    { ...by, caller: stored.name, action: 'key-revoked', changes: [], keyId: id },
    version,
  );
  return toCallerView({ ...entry, caller: { ...entry.caller, keys, updatedAt: now } });
};
