import { UNLIMITED } from '../callers/caller.ts';
import { type CallerAction, changesBetween, type FieldChange } from '../callers/caller-audit.ts';
import { type Declaration, mergeDefinition } from '../callers/caller-definition.ts';
import { findSendersOutside } from '../callers/caller-fence.ts';
import { isBuiltIn } from '../callers/caller-name.ts';
import { type CallerEntry, combineCallers, type StoredCaller } from '../callers/stored-caller.ts';
import { AppError, problemsError } from '../errors.ts';
import {
  type By,
  entryOf,
  invalid,
  type RegisterNeeds,
  readForChange,
  requireDeclaration,
  requireUnowned,
  withHashedKey,
  writeChange,
} from './caller-register.ts';
import { type CallerView, toChangedView } from './show-callers.ts';

/** By which somebody can say which caller they have looked at before they change it. */
export const revisionOf = ({ updatedAt = 'new' }: Pick<CallerView, 'updatedAt'>): string => `"${updatedAt}"`;

/**
 * Changes rules of a caller, or disables and enables it. A field that is null lifts its rule; a field that is not there stays.
 * `revision` is that of the caller that was looked at, if it must still be the same. Throws CALLER_INVALID, CALLER_NOT_FOUND,
 * CALLER_UNREADABLE, CALLER_DECLARED_IN_SETTINGS, CALLER_CREDENTIAL_TAKEN, CALLER_CHANGED.
 */
export const changeCaller = async (
  needs: RegisterNeeds,
  name: string,
  input: unknown,
  { by, revision }: { readonly by: By; readonly revision?: string },
): Promise<CallerView> => {
  const { entries, version } = await readForChange(needs);
  const entry = entryOf(entries, name);
  if (revision !== undefined && revision !== revisionOf(entry.caller)) throw new AppError('CALLER_CHANGED');
  const change = withHashedKey(input, entry.caller.functionKeys);
  if (Object.keys(change).length === 0)
    throw invalid({ pointer: '', expected: 'at least one field to change', received: 'none' });
  const { stored, changes } =
    entry.declaredIn === 'settings'
      ? stopOrStart(needs, entry, change)
      : changeRules(needs, entries, entry, change);
  if (changes.length > 0) {
    const action = actionOf(changes, stored);
    await writeChange(needs, { caller: stored }, { ...by, caller: stored.name, action, changes }, version);
  }
  const settings = needs.declaredInSettings();
  const all = combineCallers(settings, { callers: [stored], unreadable: [] });
  return toChangedView(needs, changes.length > 0 ? entryOf(all, stored.name) : entry);
};

type Changed = { readonly stored: StoredCaller; readonly changes: readonly FieldChange[] };

const actionOf = (changes: readonly FieldChange[], { isDisabled }: StoredCaller): CallerAction => {
  if (changes.some(({ field }) => field !== 'disabled')) return 'changed';
  return isDisabled ? 'disabled' : 'enabled';
};

/** What is kept of a caller, or what is kept first. */
export const storedOf = ({ caller, stored }: CallerEntry, now: string): StoredCaller =>
  stored ?? { name: caller.name, isDisabled: false, keys: [], createdAt: now, updatedAt: now };

/** Of a caller of the settings, a command can only disable it: in an emergency nobody waits for a deployment. */
const stopOrStart = (
  { clock }: RegisterNeeds,
  entry: CallerEntry,
  { disabled, ...others }: Readonly<Record<string, unknown>>,
): Changed => {
  if (Object.keys(others).length > 0) throw new AppError('CALLER_DECLARED_IN_SETTINGS');
  if (typeof disabled !== 'boolean')
    throw invalid({ pointer: '/disabled', expected: 'true or false', received: typeof disabled });
  const now = clock.now().toISOString();
  const before = storedOf(entry, now);
  if (!disabled && entry.caller.rules.isDisabled && !before.isDisabled)
    throw new AppError('CALLER_DECLARED_IN_SETTINGS', { detail: 'It is disabled there.' });
  const changes: readonly FieldChange[] =
    disabled === before.isDisabled ? [] : [{ field: 'disabled', from: before.isDisabled, to: disabled }];
  return { stored: { ...before, isDisabled: disabled, updatedAt: now }, changes };
};

/** From which rules a change goes on. One that exists by itself and cannot be read stays disabled until it is enabled. */
const declarationOf = ({ declaredIn, caller }: CallerEntry): Declaration => {
  if (declaredIn === 'nowhere')
    throw new AppError('CALLER_NOT_FOUND', {
      detail: 'The setting MAIL_CALLERS no longer declares it; the relay only keeps its keys.',
    });
  if (declaredIn !== 'unreadable') return caller;
  if (!isBuiltIn(caller.name)) throw new AppError('CALLER_UNREADABLE');
  return { ...caller, rules: { ...UNLIMITED, isDisabled: true } };
};

const changeRules = (
  { senderPolicy, clock }: RegisterNeeds,
  entries: readonly CallerEntry[],
  entry: CallerEntry,
  change: Readonly<Record<string, unknown>>,
): Changed => {
  const before = declarationOf(entry);
  const merged = mergeDefinition(before, change);
  if (merged.name !== before.name)
    throw invalid({
      pointer: '/name',
      expected: 'no other name: names never change',
      received: 'another name',
    });
  const declaration = requireDeclaration(merged);
  // Only where they are changed: settings that were narrowed since keep nobody from disabling a caller.
  if ('senders' in change || 'defaultSender' in change) {
    const outside = findSendersOutside(declaration, senderPolicy());
    if (outside.length > 0) throw problemsError(outside);
  }
  requireUnowned(entries, declaration);
  const now = clock.now().toISOString();
  const changes = changesBetween(entry.declaredIn === 'unreadable' ? undefined : before, declaration);
  const stored = storedOf(entry, now);
  return {
    stored: { ...stored, declaration, isDisabled: declaration.rules.isDisabled, updatedAt: now },
    changes,
  };
};
