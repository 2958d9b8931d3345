import { nameOfFailure } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import type { HoldNeeds } from './hold.ts';
import type { QuotaNeeds } from './tell-of-limit.ts';
import type { WatchSender } from './watch-sender.ts';

export type SweepNeeds = HoldNeeds &
  QuotaNeeds &
  Pick<
    Ports,
    | 'mailboxes'
    | 'payloads'
    | 'readIdentity'
    | 'captured'
    | 'poisonQueues'
    | 'usages'
    | 'mailboxLanes'
    | 'heartbeats'
  > & {
    readonly drafts: Pick<Ports['drafts'], 'look' | 'remove' | 'listBefore'>;
    readonly watchSender?: WatchSender;
    readonly policy: Omit<SendPolicy, 'onUnknown' | 'filesWithinMs'>;
    /** The mailboxes in which the settings let the relay make drafts. */
    readonly draftMailboxes: readonly string[];
  };

/** What a sweep has found, by the names of the event `MailSwept`. */
export type Counts = {
  lost: number;
  overdue: number;
  payloads: number;
  records: number;
  expired: number;
  /** Emails and blobs that could not be dealt with; each was logged, and the sweep went on. */
  failed: number;
  /** Rows of an earlier version that were filed. */
  filed: number;
  /** Drafts that were removed. */
  drafts: number;
  /** Captured emails whose time was over. */
  captured: number;
  /** Parts that ran out of time and go on an hour later, beginning elsewhere. */
  unfinished: number;
};

/** One sweep: what it has counted, where it begins, and whether its time is over. */
export type Run = { readonly counts: Counts; readonly turn: number; readonly isOver: () => boolean };

/** A part of the sweep. Throws where it cannot be done at all. */
export type Part = (needs: SweepNeeds, run: Run) => Promise<void>;

export const DAY_MS = 86_400_000;

const HOURS_OF_DAY = 24;

/** Whether this is the one hour of a day in which something is done for an email that costs a request. */
export const isHourOf = (mailId: string, turn: number): boolean =>
  Number.parseInt(mailId.slice(-2), 16) % HOURS_OF_DAY === turn % HOURS_OF_DAY;

export const ago = ({ clock }: SweepNeeds, ms: number): Date => new Date(clock.now().getTime() - ms);

/** One thing after another that cannot be done is no fault of a single email. */
const MAX_FAILURES_IN_A_ROW = 20;

/** Does something for each item; what fails for one is logged and counted, unless nothing works any more. */
export const forEach = async <Item>(
  needs: SweepNeeds,
  run: Run,
  items: AsyncIterable<Item>,
  { mailIdOf, sweep }: { mailIdOf: (item: Item) => string; sweep: (item: Item) => Promise<void> },
): Promise<void> => {
  let failuresInARow = 0;
  for await (const item of items) {
    if (run.isOver()) return;
    try {
      await sweep(item);
      failuresInARow = 0;
    } catch (failure) {
      failuresInARow += 1;
      if (failuresInARow > MAX_FAILURES_IN_A_ROW) throw failure;
      countFailure(needs, run, mailIdOf(item), failure);
    }
  }
};

export const countFailure = (needs: SweepNeeds, { counts }: Run, mailId: string, failure: unknown): void => {
  counts.failed += 1;
  needs.log({ event: 'SweepFailed', mailId, name: nameOfFailure(failure) });
};
