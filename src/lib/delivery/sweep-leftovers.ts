import { dayOf } from '../callers/quota.ts';
import { AppError } from '../errors.ts';
import { isFinal, isIn } from '../ledger/ledger-row.ts';
import type { RecordPage } from '../ports.ts';
import { hold } from './hold.ts';
import { ago, countFailure, DAY_MS, forEach, isHourOf, type Part, type SweepNeeds } from './sweep-run.ts';

/** The most that one list has (List Blobs, maxresults). */
const RECORDS_AT_ONCE = 5000;

/** Rows of an earlier version of the ledger. */
export const sweepEarlier: Part = async (needs, run) => {
  run.counts.filed = await needs.ledger.fileEarlier(run.isOver, (mailId, failure) =>
    countFailure(needs, run, mailId, failure),
  );
};

/** Rows whose time is over. */
export const sweepExpired: Part = async (needs, { counts, turn, isOver }) => {
  counts.expired = await needs.ledger.expire(ago(needs, needs.policy.ledgerDays * DAY_MS), turn, isOver);
};

/**
 * A message can bring an email that no row knows yet, and stays hidden or waits for so long: storage hides one for seven days
 * at most. The last day is for one that waits in a long queue then.
 */
const NO_ROW_FOR_MS = 8 * DAY_MS;

/** Stored contents of emails that have ended, or that no ledger knows. */
export const sweepPayloads: Part = async (needs, run) => {
  await forEach(needs, run, needs.payloads.list(ago(needs, DAY_MS)), {
    mailIdOf: ({ mailId }) => mailId,
    sweep: async ({ mailId, contentHash, writtenAt }) => {
      const entry = await needs.ledger.find(mailId);
      const isNeeded = entry === undefined ? writtenAt >= ago(needs, NO_ROW_FOR_MS) : !isFinal(entry.row);
      if (isNeeded) return;
      await needs.payloads.delete(mailId, contentHash);
      run.counts.payloads += 1;
    },
  });
};

/**
 * Records of emails that turned out well after all hold content that nobody needs; so do those of a lost race. Each is looked
 * at once a day, by its id, so that thousands of held emails do not cost thousands of requests an hour.
 */
export const sweepRecords: Part = async (needs, run) => {
  const before = ago(needs, DAY_MS);
  const { gap } = await needs.readIdentity();
  // On the first day after a restore they are wanted, however many requests they cost.
  const isRecent = gap !== undefined && gap.until >= before;
  await forEach(needs, run, allRecords(needs), {
    mailIdOf: ({ mailId }) => mailId,
    sweep: async ({ name, mailId, writtenAt }) => {
      const isOfBefore = gap !== undefined && writtenAt < gap.until;
      const isTurn = isHourOf(mailId, run.turn) || (isOfBefore && isRecent);
      if (!isTurn || (writtenAt >= before && !isOfBefore)) return;
      const row = (await needs.ledger.find(mailId))?.row;
      if (row === undefined) {
        if (isOfBefore) await holdOnceMore(needs, name);
        return;
      }
      if (writtenAt >= before) return;
      const isNeedless =
        isIn(row, 'sent', 'closed', 'canceled', 'captured') ||
        (isIn(row, 'held') && row.fate.record !== name);
      if (!isNeedless) return;
      await needs.records.delete(name);
      run.counts.records += 1;
    },
  });
};

/**
 * Holds an email once more whose row a restored ledger has lost: its record is all that is left of it. Perhaps it was decided on after
 * the backup, so that a replay looks for it first.
 */
const holdOnceMore = async (needs: SweepNeeds, name: string): Promise<void> => {
  const { facts, heldAt, reason, original } = (await needs.records.read(name)) ?? {};
  // Without its facts, which earlier versions did not write, nobody can say whose it is.
  if (facts === undefined || reason === undefined) return;
  const detail = `The ledger was restored from a backup that does not have the email. It was held at ${heldAt} (${reason.code}), and may have been replayed, canceled or closed since.`;
  await hold(
    needs,
    { facts },
    { why: 'doubt', reason: new AppError('OUTCOME_UNKNOWN', { detail }), original },
  );
};

/** Long enough to look at the emails of a test, which are no archive. */
const CAPTURED_DAYS = 14;

/** Captured emails, whose content ends before their rows do. */
export const sweepCaptured: Part = async (needs, { counts, isOver }) => {
  const days = Math.min(CAPTURED_DAYS, needs.policy.ledgerDays);
  counts.captured = await needs.captured.expire(ago(needs, days * DAY_MS), isOver);
};

/** For operators, and for applications that ask how much they send; no limit needs more than a day. */
const USAGE_DAYS = 31;
/** Longer than starts are booked ahead, and than recipients of a day count. */
const LANE_DAYS = 3;

/** What was taken of limits on days that are over, and what this instance keeps from the others. */
export const sweepUsages: Part = async (needs, { isOver }) => {
  await needs.quotas.giveBackIdle(needs.clock.now(), isOver);
  await needs.mailboxLanes.expire(ago(needs, LANE_DAYS * DAY_MS));
  await needs.usages.expire(dayOf(ago(needs, USAGE_DAYS * DAY_MS)));
};

/**
 * What the host gave up on is held within seconds; what is still there an hour later could not be. A trigger says nothing where its
 * queue is missing. A queue that cannot be looked at does not keep the others from being looked at.
 */
export const sweepPoison: Part = async ({ poisonQueues, log }) => {
  const looks = await Promise.allSettled(
    Object.entries(poisonQueues).map(async ([queue, { count }]) => {
      const messages = await count();
      if (messages === undefined) log({ event: 'QueueMissing', queue });
      else if (messages > 0) log({ event: 'MessagesStuck', queue, messages });
    }),
  );
  for (const look of looks) if (look.status === 'rejected') throw look.reason;
};

async function* allRecords({ records }: SweepNeeds): AsyncIterable<RecordPage['records'][number]> {
  let after: string | undefined;
  do {
    const page = await records.list(RECORDS_AT_ONCE, after);
    yield* page.records;
    after = page.next;
  } while (after !== undefined);
}
