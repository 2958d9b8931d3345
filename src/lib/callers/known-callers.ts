import type { Caller, CallerRules } from './caller.ts';
import { UNLIMITED } from './caller.ts';
import type { KeyRecord } from './caller-key.ts';

/** A caller with everything by which it can prove who it is. */
export type DeclaredCaller = {
  readonly name: string;
  readonly rules: CallerRules;
  readonly keys: readonly KeyRecord[];
  /** Client ids of applications and managed identities in Entra, in lower case. */
  readonly apps: readonly string[];
  /** What the ledger calls holders of function keys (`key:...`), of those that belong to this caller. */
  readonly functionKeys: readonly string[];
  /** Absent for one that only the settings know. */
  readonly createdAt?: string;
  readonly updatedAt?: string;
};

/** The rules for every function key that belongs to no declared caller; each key is a caller of its own. */
export const FUNCTION_KEYS = 'function-keys';
/** Whoever may write to the queue `mail`. */
export const QUEUE = 'queue';
/** The relay itself, which warns by email. No caller can have this name: names have no capitals. */
export const RELAY = 'warnExpiringSecrets';

/** Operators, who send a test email. */
export const OPERATOR = 'testMail';

/** These exist without being declared, and may do everything until somebody limits them. */
export const BUILT_IN: readonly string[] = [FUNCTION_KEYS, QUEUE];

/** Who may send, as one instance knows it at one moment. */
export type KnownCallers = {
  readonly declared: readonly DeclaredCaller[];
  /** The caller that the ledger knows by this name. Undefined where it was removed. */
  readonly named: (name: string) => Caller | undefined;
  readonly withKey: (keyId: string) => { readonly caller: Caller; readonly key: KeyRecord } | undefined;
  /** The caller with this function key, `key:...`: declared, or by the rules for all others. */
  readonly withFunctionKey: (name: string) => Caller;
  /** The caller with this client id in Entra, in lower case. */
  readonly withApp: (clientId: string) => Caller | undefined;
};

const isFunctionKey = (name: string): boolean => name.startsWith('key:');

const toCaller = ({ name, rules, functionKeys }: DeclaredCaller): Caller => ({
  name,
  earlierNames: functionKeys,
  knownAs: name,
  rules,
});

/** Puts together what is known of all callers. Of two with one key, app or name, the first counts. */
export const makeKnownCallers = (declared: readonly DeclaredCaller[]): KnownCallers => {
  const byName = new Map<string, Caller>();
  const byKey = new Map<string, { readonly caller: Caller; readonly key: KeyRecord }>();
  const byFunctionKey = new Map<string, Caller>();
  const byApp = new Map<string, Caller>();
  const note = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
    if (!map.has(key)) map.set(key, value);
  };
  for (const one of declared) {
    const caller = toCaller(one);
    note(byName, one.name, caller);
    for (const key of one.keys) note(byKey, key.id, { caller, key });
    for (const name of one.functionKeys) note(byFunctionKey, name, caller);
    for (const clientId of one.apps) note(byApp, clientId, caller);
  }
  const builtIn = (name: string): Caller =>
    byName.get(name) ?? { name, earlierNames: [], knownAs: name, rules: UNLIMITED };
  const withFunctionKey = (name: string): Caller =>
    byFunctionKey.get(name) ?? { ...builtIn(FUNCTION_KEYS), name, earlierNames: [] };
  return {
    declared,
    named: (name) => {
      if (name === RELAY || name === OPERATOR)
        return { name, earlierNames: [], knownAs: 'relay', rules: UNLIMITED };
      if (isFunctionKey(name)) return withFunctionKey(name);
      return name === QUEUE ? builtIn(QUEUE) : byName.get(name);
    },
    withKey: (keyId) => byKey.get(keyId),
    withFunctionKey,
    withApp: (clientId) => byApp.get(clientId),
  };
};
