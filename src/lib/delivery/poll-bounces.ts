import { isWatched } from '../bounces/watched-mailbox.ts';
import { nameOfFailure } from '../errors.ts';
import type { WatchedEntry } from '../ports.ts';
import { type PollCounts, type PollMailboxNeeds, type PollRun, pollMailbox } from './poll-mailbox.ts';

export type PollBouncesNeeds = PollMailboxNeeds;

/** Below the five minutes after which the next poll begins, and the functionTimeout (host.json). */
const BUDGET_MS = 120_000;
/** Of one mailbox, one request at a time: it has four, and the emails need them. */
const MAILBOXES_AT_ONCE = 4;

/**
 * Reads the non-delivery reports of every mailbox that the relay has sent from in the last days, the one that was read longest ago first.
 * What fails for one mailbox is logged and does not keep the others from being read. Throws what failed where nothing could be read.
 */
export const pollBounces = async (needs: PollBouncesNeeds): Promise<void> => {
  const counts: PollCounts = {
    ...{ mailboxes: 0, messages: 0, reports: 0, recorded: 0, unmatched: 0 },
    ...{ waiting: 0, refused: 0, postponed: 0, failed: 0, unfinished: 0 },
  };
  const startedAt = needs.clock.now().getTime();
  const run: PollRun = { counts, isOver: () => needs.clock.now().getTime() - startedAt >= BUDGET_MS };
  const entries = (await needs.watchedMailboxes.list()).toSorted(byPoll);
  const failures: unknown[] = [];

  const next = entries.values();
  const pollSome = async (): Promise<void> => {
    for (const entry of next) {
      if (run.isOver()) counts.unfinished += 1;
      else await pollOne(needs, run, entry).catch((failure: unknown) => void failures.push(failure));
    }
  };
  await Promise.all(Array.from({ length: MAILBOXES_AT_ONCE }, pollSome));
  for (const failure of failures) needs.log({ event: 'BouncePollFailed', name: nameOfFailure(failure) });
  if (failures.length > 0 && failures.length === entries.length) throw failures[0];
  needs.log({ event: 'BouncesPolled', ...counts, failed: counts.failed + failures.length });
};

const pollOne = async (needs: PollBouncesNeeds, run: PollRun, entry: WatchedEntry): Promise<void> => {
  if (isWatched(entry.mailbox, needs.clock.now())) await pollMailbox(needs, run, entry);
  else await needs.watchedMailboxes.forget(entry.mailbox);
};

const byPoll = (one: WatchedEntry, other: WatchedEntry): number =>
  (one.state?.polledAt ?? '').localeCompare(other.state?.polledAt ?? '');
