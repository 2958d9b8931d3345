import type { CapturedRecord } from '../../src/lib/inbox/captured-record.ts';
import type { MailpitSummary } from '../../src/lib/inbox/mailpit-shapes.ts';
import type { Captured } from '../../src/lib/ports.ts';

type Kept = { readonly record: CapturedRecord; readonly summary: MailpitSummary };

/** Captured emails in memory; the same email at the same time is one. */
export const makeFakeCaptured = () => {
  const kept = new Map<string, Kept>();
  const nameOf = ({ mailId, dueFrom }: Parameters<Captured['read']>[0]) => `${dueFrom} ${mailId}`;
  const newestFirst = () => [...kept].sort(([one], [other]) => (one < other ? 1 : -1));
  const port = {
    store: async (record, summary) => void kept.set(nameOf(record), { record, summary }),
    list: async function* () {
      for (const [, { summary }] of newestFirst()) yield summary;
    },
    read: async (place) => kept.get(nameOf(place))?.record,
    delete: async (place) => void kept.delete(nameOf(place)),
    clear: async () => kept.clear(),
    expire: async (before) => {
      const old = [...kept.keys()].filter((name) => name.slice(0, 10) < before.toISOString().slice(0, 10));
      for (const name of old) kept.delete(name);
      return old.length;
    },
  } satisfies Captured;
  return { port, kept };
};
