import { UNLIMITED } from '../callers/caller.ts';
import type { AuditEntry } from '../callers/caller-audit.ts';
import { type Declaration, readCaller } from '../callers/caller-definition.ts';
import { BUILT_IN } from '../callers/known-callers.ts';
import { type CallerEntry, combineCallers, type StoredCaller } from '../callers/stored-caller.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import { callerOfKey } from '../ledger/identity.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type { Ports } from '../ports.ts';

export type RegisterNeeds = Pick<Ports, 'callerStore' | 'clock' | 'log'> & {
  /** Throws SETTINGS_INVALID. */
  readonly declaredInSettings: () => readonly Declaration[];
  /** As whom the relay may send at all. Throws SETTINGS_INVALID. */
  readonly senderPolicy: () => SenderPolicy;
  /** Whom the emails of this environment can reach, where the settings say so: a warning to an owner outside it is not sent. */
  readonly recipientDomains?: readonly string[];
  /** This instance knows a change immediately, others within a minute. */
  readonly forgetCallers: () => void;
};

/** Every caller, those that exist by themselves first, and the version of all of them. */
export type Register = { readonly entries: readonly CallerEntry[]; readonly version: string };

const withBuiltIn = (entries: readonly CallerEntry[]): readonly CallerEntry[] => {
  const missing = BUILT_IN.filter((name) => !entries.some(({ caller }) => caller.name === name));
  return [
    ...missing.map(
      (name): CallerEntry => ({
        declaredIn: 'built-in',
        caller: { name, rules: UNLIMITED, keys: [], apps: [], functionKeys: [] },
      }),
    ),
    ...entries,
  ];
};

/** All callers, to be looked at. */
export const readRegister = async ({
  callerStore,
  declaredInSettings,
}: Pick<RegisterNeeds, 'callerStore' | 'declaredInSettings'>): Promise<readonly CallerEntry[]> =>
  withBuiltIn(combineCallers(declaredInSettings(), await callerStore.read()));

/** All callers, to be changed. */
export const readForChange = async ({
  callerStore,
  declaredInSettings,
}: RegisterNeeds): Promise<Register> => {
  const settings = declaredInSettings();
  const { version, ...stored } = await callerStore.readForChange();
  return { entries: withBuiltIn(combineCallers(settings, stored)), version };
};

/** Throws CALLER_NOT_FOUND. */
export const entryOf = (entries: readonly CallerEntry[], name: string): CallerEntry => {
  const found =
    entries.find(({ caller }) => caller.name === name) ??
    // Names have no capitals, except one that somebody else wrote into the table.
    entries.find(({ caller }) => caller.name === name.toLowerCase());
  if (found === undefined) throw new AppError('CALLER_NOT_FOUND');
  return found;
};

/** Who changes something, in their own words. */
export type By = { readonly by?: string };

/** Writes a change and its entry in the trail. Throws CALLER_CHANGED. */
export const writeChange = async (
  { callerStore, clock, log, forgetCallers }: RegisterNeeds,
  change: { readonly caller: StoredCaller } | { readonly removed: string },
  entry: Omit<AuditEntry, 'at' | 'with'>,
  version: string,
): Promise<void> => {
  const at = clock.now().toISOString();
  if (!(await callerStore.write(change, { at, with: 'master key', ...entry }, version)))
    throw new AppError('CALLER_CHANGED');
  forgetCallers();
  log({ event: 'CallerChanged', caller: entry.caller, action: entry.action });
};

/** Throws CALLER_CREDENTIAL_TAKEN where another caller has one of the applications or function keys. */
export const requireUnowned = (
  entries: readonly CallerEntry[],
  { name, apps, functionKeys }: Declaration,
): void => {
  const owner = entries.find(
    ({ caller }) =>
      caller.name !== name &&
      (caller.apps.some((one) => apps.includes(one)) ||
        caller.functionKeys.some((one) => functionKeys.includes(one))),
  );
  if (owner !== undefined)
    throw new AppError('CALLER_CREDENTIAL_TAKEN', { detail: `The other caller is ${owner.caller.name}.` });
};

const MAX_FUNCTION_KEY = 500;

const functionKeyFault = (given: unknown): string | undefined => {
  if (typeof given !== 'string' || given === '') return 'nothing';
  if (given.length > MAX_FUNCTION_KEY || !/^[!-~]+$/.test(given)) return 'a text that cannot be one';
  return given.startsWith('gmr_') ? 'a key of the relay' : undefined;
};

/**
 * The fields of a definition as they were sent, with `functionKey`, the key itself, in place as what the ledger calls its holder.
 * The key is kept nowhere. Throws CALLER_INVALID.
 */
export const withHashedKey = (
  input: unknown,
  owned: readonly string[] = [],
): Readonly<Record<string, unknown>> => {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw problemsError(readCaller(input).problems ?? []);
  const { functionKey, ...fields } = input as Record<string, unknown>;
  if (functionKey === undefined || functionKey === null) return fields;
  const received = functionKeyFault(functionKey);
  if (received !== undefined)
    throw invalid({ pointer: '/functionKey', expected: 'a function key of the app', received });
  const given = Array.isArray(fields.functionKeys) ? fields.functionKeys : owned;
  return { ...fields, functionKeys: [...new Set([...given, callerOfKey(String(functionKey))])] };
};

/** CALLER_INVALID with one problem. */
export const invalid = (problem: Omit<Problem, 'code'>): AppError =>
  problemsError([{ code: 'CALLER_INVALID', ...problem }]);

/** Reads the definition of a caller. Throws CALLER_INVALID. */
export const requireDeclaration = (definition: unknown): Declaration => {
  const { declaration, problems } = readCaller(definition);
  if (declaration === undefined) throw problemsError(problems);
  return declaration;
};
