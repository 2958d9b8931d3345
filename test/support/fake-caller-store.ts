import type { AuditEntry } from '../../src/lib/callers/caller-audit.ts';
import { readStoredJson, toStoredJson } from '../../src/lib/callers/stored-caller.ts';
import type { CallerStore } from '../../src/lib/ports.ts';

const PAGE = 100;

/** The callers in memory, as JSON, with one version of all of them. `spoil` makes one unreadable. */
export const makeFakeCallerStore = (): CallerStore & { readonly spoil: (name: string) => void } => {
  const kept = new Map<string, string>();
  const trail: AuditEntry[] = [];
  let version = 0;

  const read = async () => {
    const all = [...kept.keys()].sort().map((name) => ({
      name,
      caller: readStoredJson(name, kept.get(name) ?? ''),
    }));
    return {
      callers: all.flatMap(({ caller }) => caller ?? []),
      unreadable: all.flatMap(({ name, caller }) =>
        caller === undefined ? [{ name, functionKeys: [] }] : [],
      ),
    };
  };
  return {
    read,
    readForChange: async () => ({ ...(await read()), version: String(version) }),
    write: async (change, entry, at) => {
      if (at !== String(version)) return false;
      version += 1;
      if ('removed' in change) kept.delete(change.removed);
      else kept.set(change.caller.name, toStoredJson(change.caller));
      trail.unshift(JSON.parse(JSON.stringify(entry)));
      return true;
    },
    audit: async (caller, after = '0') => {
      const all = trail.filter((entry) => caller === undefined || entry.caller === caller);
      const end = Number(after) + PAGE;
      return {
        entries: all.slice(Number(after), end),
        ...(all.length > end ? { next: String(end) } : {}),
      };
    },
    spoil: (name) => void kept.set(name, '{'),
  };
};
