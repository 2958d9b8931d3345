import { minus, NOTHING_COUNTED, type Tally } from '../metrics/tally.ts';
import type { Counted, Counts } from '../ports.ts';

/** An instance that is killed loses what it counted in so long, at most. */
export const COUNTS_WRITTEN_EVERY_MS = 30_000;
/** What the invocation that counted something counts next is written with it. */
const SETTLES_WITHIN_MS = 1000;

export type KeepCountsNeeds = {
  readonly counts: () => Pick<Counts, 'write'>;
  /** What this process has counted since it began. */
  readonly counted: (now: Date) => Counted;
  readonly newInstance: () => string;
  readonly now: () => Date;
  /** Calls later, unless the process has ended by then: waiting does not keep it running. */
  readonly later: (run: () => void, milliseconds: number) => void;
};

export type CountKeeper = {
  /** Something was counted. */
  readonly changed: () => void;
  /** Writes now what is not written yet. Does not throw: what could not be written is written with the next count. */
  readonly keep: () => Promise<void>;
};

/**
 * Keeps what this process counts in storage, under the name of an instance: at most every half minute, and never while nothing was
 * counted. Where the instance was taken for dead, what it wrote counts already: it goes on under another name with the rest.
 */
export const makeCountKeeper = (needs: KeepCountsNeeds): CountKeeper => {
  let instance: string | undefined;
  let isFirst = true;
  /** Counts elsewhere. */
  let folded: Tally = NOTHING_COUNTED;
  /** What was written last, without what counts elsewhere; a write that failed can have been carried out. */
  let written: Tally = NOTHING_COUNTED;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let isDirty = false;
  let isScheduled = false;
  let running: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    const { tally, mailboxes } = needs.counted(needs.now());
    const own = minus(tally, folded);
    instance ??= needs.newInstance();
    const before = written;
    written = own;
    const result = await needs.counts().write(instance, { tally: own, mailboxes }, isFirst);
    if (result === 'written') {
      isFirst = false;
      return;
    }
    // Once more, under another name.
    folded = minus(tally, minus(own, result === 'gone' ? before : result.folded));
    instance = undefined;
    isFirst = true;
    written = NOTHING_COUNTED;
    isDirty = true;
  };

  const keep = async (): Promise<void> => {
    while (running !== undefined) await running;
    if (!isDirty) return;
    isDirty = false;
    running = write()
      .catch(() => {
        isDirty = true;
      })
      .finally(() => {
        writtenAt = needs.now().getTime();
        running = undefined;
        if (isDirty) schedule();
      });
    await running;
  };

  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    const waitMs = Math.max(SETTLES_WITHIN_MS, writtenAt + COUNTS_WRITTEN_EVERY_MS - needs.now().getTime());
    needs.later(() => {
      isScheduled = false;
      void keep();
    }, waitMs);
  };

  return {
    changed: () => {
      isDirty = true;
      if (running === undefined) schedule();
    },
    keep,
  };
};
