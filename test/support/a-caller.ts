import { type Caller, type CallerRules, UNLIMITED } from '../../src/lib/callers/caller.ts';
import { type DeclaredCaller, makeKnownCallers } from '../../src/lib/callers/known-callers.ts';
import type { Callers } from '../../src/lib/ports.ts';

/** A caller that may do everything but what is given. */
export const aCaller = (name = 'key:payroll', rules: Partial<CallerRules> = {}): Caller => ({
  name,
  earlierNames: [],
  knownAs: name,
  rules: { ...UNLIMITED, ...rules },
});

/** A declared caller without keys. */
export const aDeclaredCaller = (
  name: string,
  {
    rules = {},
    ...more
  }: Partial<Omit<DeclaredCaller, 'rules'>> & { readonly rules?: Partial<CallerRules> } = {},
): DeclaredCaller => ({
  name,
  rules: { ...UNLIMITED, ...rules },
  keys: [],
  apps: [],
  functionKeys: [],
  createdAt: '2026-03-01T08:00:00.000Z',
  updatedAt: '2026-03-01T08:00:00.000Z',
  ...more,
});

/** A relay that knows these callers. */
export const knowing = (...declared: readonly DeclaredCaller[]): Callers => {
  const known = makeKnownCallers(declared);
  return { known: async () => known, refreshed: async () => known };
};
