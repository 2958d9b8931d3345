import { combineUses } from '../../src/lib/metrics/mailbox-use.ts';
import { NOTHING_COUNTED, plus } from '../../src/lib/metrics/tally.ts';
import type { Counted, Counts } from '../../src/lib/ports.ts';

/** Counts in memory; `now` says when something was written. */
export const makeFakeCounts = (now: () => Date): Counts => {
  type Row = Counted & { readonly writtenAt: Date; readonly isFolded: boolean };
  const rows = new Map<string, Row>();
  let together = NOTHING_COUNTED;
  return {
    write: async (instance, counted, isFirst) => {
      const known = rows.get(instance);
      if (known?.isFolded) return { folded: known.tally };
      if (known === undefined && !isFirst) return 'gone';
      rows.set(instance, { ...counted, writtenAt: now(), isFolded: false });
      return 'written';
    },
    read: async () => {
      const counting = [...rows.values()].filter(({ isFolded }) => !isFolded);
      return {
        tally: counting.reduce((sum, { tally }) => plus(sum, tally), together),
        mailboxes: combineUses(counting.flatMap(({ mailboxes }) => mailboxes)),
      };
    },
    fold: async (before) => {
      const silent = [...rows].filter(([, row]) => !row.isFolded && row.writtenAt < before);
      for (const [instance, row] of silent) {
        together = plus(together, row.tally);
        rows.set(instance, { ...row, mailboxes: [], isFolded: true });
      }
      return silent.length;
    },
  };
};
