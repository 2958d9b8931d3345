import { isOpen, toDefinition } from '../callers/caller-definition.ts';
import { isBuiltIn, MEANING } from '../callers/caller-name.ts';
import type { CallerEntry, DeclaredIn } from '../callers/stored-caller.ts';
import { defined } from '../defined.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import type { AuditPage } from '../ports.ts';
import { entryOf, type RegisterNeeds, readRegister } from './caller-register.ts';

/** A caller as operators see it: its definition, and what the relay knows beside it. Never a key. */
export type CallerView = {
  readonly name: string;
  readonly declaredIn: DeclaredIn;
  /** Of a caller that exists by itself: who that is. */
  readonly meaning?: string;
  /** It exists by itself, and nobody has limited it. */
  readonly open?: true;
  /** MAIL_RECIPIENT_DOMAINS keeps warnings from its owner. Only in the answer to a change. */
  readonly ownerOutsideDomains?: true;
  readonly keys: readonly { readonly id: string; readonly createdAt: string }[];
  readonly createdAt?: string;
  readonly updatedAt?: string;
  readonly [field: string]: unknown;
};

/** A caller as operators see it. */
export const toCallerView = ({ declaredIn, caller }: CallerEntry): CallerView => {
  const { name, ...definition } = toDefinition(caller);
  const hasRules = declaredIn !== 'unreadable' && declaredIn !== 'nowhere';
  return {
    name,
    declaredIn,
    ...defined({ meaning: MEANING[name] }),
    ...(isBuiltIn(name) && isOpen(caller.rules) ? { open: true } : {}),
    ...(hasRules ? definition : {}),
    keys: caller.keys.map(({ id, createdAt }) => ({ id, createdAt })),
    ...defined({ createdAt: caller.createdAt, updatedAt: caller.updatedAt }),
  };
};

/** The same for who has added or changed it, who can choose another owner now. */
export const toChangedView = (
  { recipientDomains }: Pick<RegisterNeeds, 'recipientDomains'>,
  entry: CallerEntry,
): CallerView => {
  const { owner } = entry.caller.rules;
  const isOutside =
    owner !== undefined && recipientDomains !== undefined && !matchesAny(recipientDomains, owner);
  return { ...toCallerView(entry), ...(isOutside ? { ownerOutsideDomains: true } : {}) };
};

type Needs = Pick<RegisterNeeds, 'callerStore' | 'declaredInSettings'>;

/** All callers, by name; those that exist by themselves come first. */
export const listCallers = async (needs: Needs): Promise<{ readonly callers: readonly CallerView[] }> => {
  const entries = await readRegister(needs);
  const order = ({ caller: { name } }: CallerEntry): string => `${isBuiltIn(name) ? 0 : 1}${name}`;
  const sorted = entries.toSorted((one, other) => (order(one) < order(other) ? -1 : 1));
  return { callers: sorted.map(toCallerView) };
};

/** One caller. Throws CALLER_NOT_FOUND. */
export const showCaller = async (needs: Needs, name: string): Promise<CallerView> =>
  toCallerView(entryOf(await readRegister(needs), name));

/** What was changed, newest first, of one caller or of all; of callers that were removed too. */
export const readAudit = (
  { callerStore }: Pick<RegisterNeeds, 'callerStore'>,
  caller: string | undefined,
  after: string | undefined,
): Promise<AuditPage> => callerStore.audit(caller, after);
