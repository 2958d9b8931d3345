import { type CallerRules, UNLIMITED } from './caller.ts';
import { type Declaration, readCaller, toDefinition } from './caller-definition.ts';
import type { KeyRecord } from './caller-key.ts';
import { isBuiltIn } from './caller-name.ts';
import type { DeclaredCaller } from './known-callers.ts';

/** What the relay keeps of one caller. */
export type StoredCaller = {
  readonly name: string;
  /** Absent where the settings declare it: then only its keys are kept, and whether a command has stopped it. */
  readonly declaration?: Declaration;
  readonly isDisabled: boolean;
  readonly keys: readonly KeyRecord[];
  readonly createdAt: string;
  readonly updatedAt: string;
};

/** One that cannot be read: nobody knows what it may do, but its name and its function keys are kept beside. */
export type UnreadableCaller = { readonly name: string; readonly functionKeys: readonly string[] };

export type StoredCallers = {
  readonly callers: readonly StoredCaller[];
  readonly unreadable: readonly UnreadableCaller[];
};

/** Where the rules of a caller are. `nowhere`: the settings no longer declare it, and its keys are still kept. */
export type DeclaredIn = 'settings' | 'relay' | 'built-in' | 'nowhere' | 'unreadable';

/** A caller with everything that is known of it. */
export type CallerEntry = {
  readonly declaredIn: DeclaredIn;
  readonly caller: DeclaredCaller;
  readonly stored?: StoredCaller;
};

/** May do nothing. */
const CLOSED: CallerRules = { ...UNLIMITED, senders: [], recipients: [], doors: [], isDisabled: true };

const entryOf = (
  declaredIn: DeclaredIn,
  { name, rules, apps, functionKeys }: Declaration,
  stored: StoredCaller | undefined,
): CallerEntry => ({
  declaredIn,
  caller: {
    name,
    rules: { ...rules, isDisabled: rules.isDisabled || stored?.isDisabled === true },
    keys: stored?.keys ?? [],
    apps,
    functionKeys,
    ...(stored === undefined ? {} : { createdAt: stored.createdAt, updatedAt: stored.updatedAt }),
  },
  ...(stored === undefined ? {} : { stored }),
});

/**
 * Puts together what the settings declare and what the relay keeps. What the settings say of a caller counts; what cannot be read
 * may do nothing, whoever declares it.
 */
export const combineCallers = (
  settings: readonly Declaration[],
  { callers, unreadable }: StoredCallers,
): readonly CallerEntry[] => {
  const stored = new Map(callers.map((one) => [one.name, one]));
  const broken = new Map(unreadable.map((one) => [one.name, one]));
  const closed = ({ name, functionKeys }: UnreadableCaller): CallerEntry =>
    entryOf('unreadable', { name, rules: CLOSED, apps: [], functionKeys }, undefined);
  const ofSettings = settings.flatMap((one) => {
    const found = broken.get(one.name);
    if (found === undefined) return [entryOf('settings', one, stored.get(one.name))];
    const functionKeys = [...new Set([...one.functionKeys, ...found.functionKeys])];
    return [entryOf('unreadable', { ...one, rules: CLOSED, functionKeys }, undefined)];
  });
  const named = new Set(settings.map(({ name }) => name));
  const ofRelay = callers
    .filter(({ name }) => !named.has(name))
    .map((one) => {
      const { name, declaration } = one;
      if (declaration === undefined)
        return entryOf('nowhere', { name, rules: CLOSED, apps: [], functionKeys: [] }, one);
      return entryOf(isBuiltIn(name) ? 'built-in' : 'relay', declaration, one);
    });
  return [...ofSettings, ...unreadable.filter(({ name }) => !named.has(name)).map(closed), ...ofRelay];
};

/** Those that exist for emails: what nobody declares any more is not among them. */
export const declaredOf = (entries: readonly CallerEntry[]): readonly DeclaredCaller[] =>
  entries.filter(({ declaredIn }) => declaredIn !== 'nowhere').map(({ caller }) => caller);

/** The JSON in which the relay keeps a caller. */
export const toStoredJson = ({ declaration, ...caller }: StoredCaller): string =>
  JSON.stringify({
    ...caller,
    ...(declaration === undefined ? {} : { definition: toDefinition(declaration) }),
  });

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isKey = (value: unknown): value is KeyRecord => {
  const { id, salt, hash, createdAt } = (value ?? {}) as Record<string, unknown>;
  return [id, salt, hash, createdAt].every(isText);
};

/** Undefined for what is not the JSON of a caller with this name, as one that a newer version wrote: a rule that is unknown cannot be kept. */
export const readStoredJson = (name: string, json: string): StoredCaller | undefined => {
  const { definition, ...kept } = parseObject(json);
  const { isDisabled, keys, createdAt, updatedAt, ...others } = kept;
  if (others.name !== name || Object.keys(others).length !== 1) return undefined;
  if (typeof isDisabled !== 'boolean' || !isText(createdAt) || !isText(updatedAt)) return undefined;
  if (!Array.isArray(keys) || !keys.every(isKey)) return undefined;
  const caller = { name, isDisabled, keys, createdAt, updatedAt };
  if (definition === undefined) return caller;
  const { declaration } = readCaller(definition);
  if (declaration?.name !== name) return undefined;
  return { ...caller, declaration };
};

const parseObject = (json: string): Record<string, unknown> => {
  try {
    return { ...(JSON.parse(json) as object) };
  } catch {
    return {};
  }
};
