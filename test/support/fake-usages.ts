import type { Usage, UsageEntry } from '../../src/lib/ports.ts';
import { saveMap } from './save.ts';

/** Usages in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeUsages = {
  readonly read: (day: string, caller: string) => UsageEntry;
  readonly write: (
    day: string,
    caller: string,
    usage: Usage,
    etag: string | undefined,
  ) => { readonly isOwn: boolean; readonly entry: UsageEntry };
  readonly expire: (day: string) => void;
  readonly save: () => () => void;
  readonly all: () => ReadonlyMap<string, UsageEntry>;
};

const NONE: UsageEntry = { taken: { mails: 0, recipients: 0 }, isTold: false };

export const makeFakeUsages = (): FakeUsages => {
  const entries = new Map<string, UsageEntry>();
  let version = 0;
  const read = (day: string, caller: string): UsageEntry => entries.get(`${day}!${caller}`) ?? NONE;
  return {
    read,
    write: (day, caller, { taken, isTold }, etag) => {
      if (read(day, caller).etag !== etag) return { isOwn: false, entry: read(day, caller) };
      version += 1;
      const entry = { taken, isTold, etag: `"${version}"` };
      entries.set(`${day}!${caller}`, entry);
      return { isOwn: true, entry };
    },
    expire: (day) => {
      for (const key of [...entries.keys()]) if (key < day) entries.delete(key);
    },
    save: () => {
      const [before, restore] = [version, saveMap(entries)];
      return () => {
        version = before;
        restore();
      };
    },
    all: () => entries,
  };
};
