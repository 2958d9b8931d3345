import type { RunClaimEntry, ToldWarning, WarningState } from '../../src/lib/ports.ts';

/** What people were told, in memory. */
export const makeFakeWarningState = (): WarningState & { readonly told: Map<string, ToldWarning> } => {
  const told = new Map<string, ToldWarning>();
  let version = 0;
  let entry: RunClaimEntry = {};
  return {
    told,
    list: async () => [...told.values()],
    write: async (one) => void told.set(one.key, one),
    forget: async (key) => void told.delete(key),
    readClaim: async () => entry,
    writeClaim: async (claim, etag) => {
      if (entry.etag !== etag) return { isOwn: false, entry };
      version += 1;
      entry = { claim, etag: `"${version}"` };
      return { isOwn: true, entry };
    },
    lastRun: async () => entry.claim?.lastRun,
  };
};
