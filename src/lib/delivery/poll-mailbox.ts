import type { ReceivedMessage } from '../bounces/received-message.ts';
import { reportKindOf } from '../bounces/report-kind.ts';
import {
  newPollState,
  type PollState,
  readFrom,
  readTo,
  type WaitingReport,
  type WatchedMailbox,
  withWaiting,
} from '../bounces/watched-mailbox.ts';
import { nameOfFailure } from '../errors.ts';
import type { MailboxTrouble, Ports, WatchedEntry } from '../ports.ts';
import { recordNews } from './record-news.ts';
import {
  MOST_SEARCHES,
  type Searches,
  type Settled,
  type SettleNeeds,
  settleReport,
} from './settle-report.ts';
import { isStorageFailure } from './storage-failure.ts';

export type PollMailboxNeeds = SettleNeeds & Pick<Ports, 'watchedMailboxes'>;

/** What a poll has found, by the names of the event `BouncesPolled`. */
export type PollCounts = {
  mailboxes: number;
  /** Messages of their Inboxes that were listed. */
  messages: number;
  reports: number;
  recorded: number;
  /** Reports of which no email of the relay is known. */
  unmatched: number;
  waiting: number;
  /** Mailboxes that the relay may not read. */
  refused: number;
  /** Mailboxes that could not be read now, and reports and mailboxes that failed. */
  postponed: number;
  failed: number;
  /** Mailboxes of which there is more to read than there was time. */
  unfinished: number;
};

export type PollRun = { readonly counts: PollCounts; readonly isOver: () => boolean };

const MOST_PAGES = 40;
const MINUTE_MS = 60_000;
/** Where Graph names no time. */
const USUAL_PAUSE_MS = 5 * MINUTE_MS;
const LONGEST_PAUSE_MS = 60 * MINUTE_MS;
/** A permission that was granted takes up to two hours to reach Exchange. */
const REFUSED_PAUSE_MS = 30 * MINUTE_MS;
/** A row that is in doubt is settled within a day; after this, nobody will say any more that it was sent. */
const LONGEST_WAIT_MS = 3 * 86_400_000;

/**
 * Reads the reports of one mailbox from where the last poll ended. What was done is written after each page, and before that what it
 * says is recorded: a crash in between means that the page is read again, and what is recorded again changes nothing. Beaten by
 * another instance, it leaves the mailbox to that one. Throws STORAGE_UNAVAILABLE.
 */
export const pollMailbox = async (
  needs: PollMailboxNeeds,
  run: PollRun,
  entry: WatchedEntry,
): Promise<void> => {
  const { mailbox } = entry;
  const { counts } = run;
  let state = entry.state ?? newPollState(mailbox);
  let etag = entry.etag;
  const save = async (next: PollState): Promise<boolean> => {
    const written = await needs.watchedMailboxes.write(mailbox, next, etag);
    [state, etag] = [next, written];
    return written !== undefined;
  };
  if (Date.parse(state.pausedUntil ?? '') > needs.clock.now().getTime()) return;
  counts.mailboxes += 1;
  const { pausedUntil: _, ...resumed } = state;
  state = withWaiting(resumed, await settleWaiting(needs, run, state.waiting));

  const searches: Searches = { left: MOST_SEARCHES };
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES && !run.isOver(); page += 1) {
    const listed = await needs.receivedMail.list(
      mailbox.address,
      mailbox.route,
      readFrom(state, needs.clock.now()),
      after,
    );
    if (listed.kind !== 'page') {
      countTrouble(counts, listed);
      await save(paused(state, listed, needs.clock.now()));
      return;
    }
    const done = await settlePage(needs, run, { mailbox, state, messages: listed.messages, searches });
    const read = withWaiting(readTo(state, done.upTo, done.settled, needs.clock.now()), [
      ...state.waiting,
      ...done.waiting,
    ]);
    if (!(await save(done.trouble === undefined ? read : paused(read, done.trouble, needs.clock.now()))))
      return;
    if (done.trouble !== undefined || listed.next === undefined) return;
    after = listed.next;
  }
  counts.unfinished += 1;
};

type Page = {
  readonly mailbox: WatchedMailbox;
  readonly state: PollState;
  readonly messages: readonly ReceivedMessage[];
  readonly searches: Searches;
};

/** How far a page was read, and what was settled of it. */
type Done = {
  upTo?: Date;
  trouble?: MailboxTrouble;
  readonly settled: { readonly id: string; readonly receivedAt: Date }[];
  readonly waiting: WaitingReport[];
};

const settlePage = async (needs: PollMailboxNeeds, run: PollRun, page: Page): Promise<Done> => {
  const { counts } = run;
  const done: Done = { settled: [], waiting: [] };
  const { mailIdOfText } = await needs.readIdentity();
  const known = new Set(page.state.settled.map(([id]) => id));
  for (const message of page.messages) {
    const kind = reportKindOf(message);
    const id = kind === undefined ? '' : mailIdOfText(`report ${message.id}`);
    if (kind !== undefined && kind !== 'receipt' && !known.has(id)) {
      if (run.isOver()) return { ...done, trouble: { kind: 'not-now', waitMs: 0 } };
      const settled = await settleOne(needs, run, () =>
        settleReport(needs, page.mailbox, message, kind, page.searches),
      );
      if (settled.kind === 'not-now' || settled.kind === 'cannot-tell') {
        countTrouble(counts, settled);
        return { ...done, trouble: settled };
      }
      if (settled.kind !== 'not-yet') {
        counts.reports += 1;
        done.settled.push({ id, receivedAt: message.receivedAt });
      }
      if (settled.kind === 'recorded') counts.recorded += 1;
      if (settled.kind === 'unmatched') counts.unmatched += 1;
      if (settled.kind === 'waits') done.waiting.push(settled.waiting);
    }
    counts.messages += 1;
    done.upTo = message.receivedAt;
  }
  return done;
};

/** A report that makes the relay fail, whatever is in it, must not keep those behind it from being read. */
const settleOne = async (
  { log }: PollMailboxNeeds,
  { counts }: PollRun,
  settle: () => Promise<Settled>,
): Promise<Settled> => {
  try {
    return await settle();
  } catch (failure) {
    if (isStorageFailure(failure)) throw failure;
    counts.failed += 1;
    log({ event: 'BouncePollFailed', name: nameOfFailure(failure) });
    return { kind: 'unmatched' };
  }
};

/** Records what waited for its row; gives what still waits. */
const settleWaiting = async (
  needs: PollMailboxNeeds,
  { counts }: PollRun,
  waiting: readonly WaitingReport[],
): Promise<readonly WaitingReport[]> => {
  const still: WaitingReport[] = [];
  for (const report of waiting) {
    const { mailId, deliveries, receivedAt } = report;
    const outcome = await recordNews(needs, { mailId, deliveries, matchedBy: 'sent-items' });
    const isOld = needs.clock.now().getTime() - Date.parse(receivedAt) > LONGEST_WAIT_MS;
    if (outcome === 'recorded') counts.recorded += 1;
    else if ((outcome === 'not-sent-yet' && !isOld) || outcome === 'beaten') still.push(report);
    else if (outcome !== 'known') counts.unmatched += 1;
  }
  counts.waiting += still.length;
  return still;
};

const countTrouble = (counts: PollCounts, { kind }: MailboxTrouble): void => {
  if (kind === 'cannot-tell') counts.refused += 1;
  else counts.postponed += 1;
};

/** Nothing is asked of the mailbox before Exchange wants it, and never for longer than an hour, whatever it says. */
const paused = (state: PollState, trouble: MailboxTrouble, now: Date): PollState => {
  const waitMs =
    trouble.kind === 'cannot-tell'
      ? REFUSED_PAUSE_MS
      : Math.min(('waitMs' in trouble ? trouble.waitMs : undefined) ?? USUAL_PAUSE_MS, LONGEST_PAUSE_MS);
  return {
    ...state,
    polledAt: now.toISOString(),
    pausedUntil: new Date(now.getTime() + waitMs).toISOString(),
  };
};
