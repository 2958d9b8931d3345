import type { DeskNeeds } from '../desk/desk.ts';
import { AppError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  isFinal,
  type LedgerRow,
  recordFound,
  recordUnknown,
  type SendingRow,
} from '../ledger/ledger-row.ts';
import type { Log } from '../log.ts';
import { parseJson } from '../mail/read-mail.ts';
import { type Holdable, type HoldNeeds, hold } from './hold.ts';
import type { LookUpNeeds } from './look-up-mail.ts';
import { announce } from './mail-event.ts';

export type SweepNeeds = HoldNeeds &
  Pick<LookUpNeeds, 'findInMailbox'> &
  Pick<DeskNeeds, 'listRecords' | 'deleteRecord'> & {
    readonly ledger: Ledger;
    /** Stored contents of mails, written before `before`. */
    readonly listPayloads: (
      before: Date,
    ) => AsyncIterable<{ readonly mailId: string; readonly contentHash: string }>;
    readonly deletePayload: (mailId: string, contentHash: string) => Promise<void>;
    readonly readPayload: (mailId: string, contentHash: string) => Promise<string | undefined>;
    /** How many messages are on the queue `mail-poison`, hidden ones too. */
    readonly countPoison: () => Promise<number>;
    readonly verifyWindowMs: number;
    readonly sendingLimitMs: number;
    readonly ledgerDays: number;
    readonly giveUpAfterMs: number;
    readonly now: () => Date;
    readonly log: Log;
  };

const DAY_MS = 86_400_000;
const RECORDS_AT_ONCE = 500;
/** No message stays unseen longer: it is the longest a storage queue hides one. */
const MESSAGE_GONE_AFTER_MS = 7 * DAY_MS;

/** One thing after another that cannot be done is no fault of a single mail. */
const MAX_FAILURES_IN_A_ROW = 20;

/** Far below functionTimeout, past which the host ends the process and every mail in flight with it. */
const BUDGET_MS = 120_000;
const HOUR_MS = 3_600_000;

type Counts = {
  lost: number;
  overdue: number;
  payloads: number;
  records: number;
  expired: number;
  /** Mails and blobs that could not be dealt with; each was logged, and the sweep went on. */
  failed: number;
  /** Rows of an earlier version that were filed. */
  filed: number;
  /** Parts that ran out of time and go on an hour later, beginning elsewhere. */
  unfinished: number;
};

/** One sweep: what it has counted, where it begins, and whether its time is over. */
type Run = { readonly counts: Counts; readonly turn: number; readonly isOver: () => boolean };

/**
 * Looks for what no message and no caller will bring back: attempts that a caller waited for and whose process died,
 * mails that have waited too long, contents nobody needs any more, and rows whose time is over. What fails for one mail
 * is logged and passed. A part that cannot be done at all does not keep the others from being done, but then the sweep
 * fails, and `MailSwept` is missing.
 */
export const sweepMail = async (needs: SweepNeeds): Promise<void> => {
  const counts: Counts = {
    lost: 0,
    overdue: 0,
    payloads: 0,
    records: 0,
    expired: 0,
    failed: 0,
    filed: 0,
    unfinished: 0,
  };
  const startedAt = needs.now().getTime();
  const isOver = () => needs.now().getTime() - startedAt >= BUDGET_MS;
  const run: Run = { counts, turn: Math.floor(startedAt / HOUR_MS), isOver };
  const parts = [
    sweepEarlier,
    sweepLost,
    sweepOverdue,
    sweepExpired,
    sweepPayloads,
    sweepRecords,
    sweepPoison,
  ];
  const failures: unknown[] = [];
  for (const part of parts) {
    await part(needs, run).catch((failure: unknown) => void failures.push(failure));
    if (isOver()) counts.unfinished += 1;
  }
  if (failures.length > 0) throw failures[0];
  needs.log({ event: 'MailSwept', ...counts });
};

const ago = (needs: SweepNeeds, ms: number): Date => new Date(needs.now().getTime() - ms);

/** Does something for each item; what fails for one is logged and counted, unless nothing works any more. */
const forEach = async <Item>(
  needs: SweepNeeds,
  { counts, isOver }: Run,
  items: AsyncIterable<Item>,
  { mailIdOf, sweep }: { mailIdOf: (item: Item) => string; sweep: (item: Item) => Promise<void> },
): Promise<void> => {
  let failuresInARow = 0;
  for await (const item of items) {
    if (isOver()) return;
    try {
      await sweep(item);
      failuresInARow = 0;
    } catch (failure) {
      failuresInARow += 1;
      if (failuresInARow > MAX_FAILURES_IN_A_ROW) throw failure;
      counts.failed += 1;
      needs.log({ event: 'SweepFailed', mailId: mailIdOf(item), name: nameOf(failure) });
    }
  }
};

/** The code of a foreseen failure, else the name of its kind: a message could quote content. */
const nameOf = (failure: unknown): string =>
  failure instanceof AppError ? failure.code : failure instanceof Error ? failure.name : 'Error';

/** Does something for each of these mails that is still as it was listed: not ended, and unchanged since `before`. */
const forEachOpen = (
  needs: SweepNeeds,
  run: Run,
  mailIds: AsyncIterable<string>,
  before: Date,
  sweep: (entry: OpenEntry) => Promise<void>,
): Promise<void> =>
  forEach(needs, run, mailIds, {
    mailIdOf: (mailId) => mailId,
    sweep: async (mailId) => {
      const entry = await needs.ledger.find(mailId);
      if (entry === undefined || Date.parse(entry.row.updatedAt) >= before.getTime()) return;
      const { row, etag } = entry;
      if (isWaiting(row)) await sweep({ row, etag });
    },
  });

type OpenEntry = { readonly row: Holdable; readonly etag: string };

const sweepEarlier = async (needs: SweepNeeds, { counts, isOver }: Run): Promise<void> => {
  counts.filed = await needs.ledger.fileEarlier(isOver, (mailId, failure) => {
    counts.failed += 1;
    needs.log({ event: 'SweepFailed', mailId, name: nameOf(failure) });
  });
};

const sweepLost = async (needs: SweepNeeds, run: Run): Promise<void> => {
  // By then Sent Items have had the time they are given.
  const before = ago(needs, needs.sendingLimitMs + needs.verifyWindowMs);
  const attempts = needs.ledger.listOpen('attempt', before, run.turn, run.isOver);
  await forEachOpen(needs, run, attempts, before, async ({ row, etag }) => {
    if (row.state === 'sending' && (await resolveLost(needs, { row, etag }))) run.counts.lost += 1;
  });
};

const sweepOverdue = async (needs: SweepNeeds, run: Run): Promise<void> => {
  // At first only told of: their messages may stand in a long queue.
  const before = ago(needs, needs.giveUpAfterMs);
  await forEachOpen(needs, run, openBefore(needs, before, run), before, async ({ row, etag }) => {
    needs.log({ event: 'MailOverdue', mailId: row.mailId, state: row.state });
    run.counts.overdue += 1;
    if (Date.parse(row.updatedAt) >= ago(needs, MESSAGE_GONE_AFTER_MS).getTime()) return;
    const reason = row.state === 'queued' || row.state === 'deferred' ? 'MAIL_LOST' : 'ATTEMPT_LOST';
    await hold(needs, { row, etag }, await findContent(needs, row), new AppError(reason));
  });
};

/** Every mail that has not ended, whatever would bring it back. */
async function* openBefore(needs: SweepNeeds, before: Date, { turn, isOver }: Run): AsyncIterable<string> {
  yield* needs.ledger.listOpen('open', before, turn, isOver);
  yield* needs.ledger.listOpen('attempt', before, turn, isOver);
}

const sweepPayloads = async (needs: SweepNeeds, run: Run): Promise<void> => {
  await forEach(needs, run, needs.listPayloads(ago(needs, DAY_MS)), {
    mailIdOf: ({ mailId }) => mailId,
    sweep: async ({ mailId, contentHash }) => {
      const entry = await needs.ledger.find(mailId);
      if (entry !== undefined && !isFinal(entry.row.state)) return;
      await needs.deletePayload(mailId, contentHash);
      run.counts.payloads += 1;
    },
  });
};

/** What the host gave up on is held within seconds; what is still there an hour later could not be. */
const sweepPoison = async (needs: SweepNeeds): Promise<void> => {
  const messages = await needs.countPoison();
  if (messages > 0) needs.log({ event: 'MessagesStuck', messages });
};

const sweepExpired = async (needs: SweepNeeds, { counts, turn, isOver }: Run): Promise<void> => {
  counts.expired = await needs.ledger.expire(ago(needs, needs.ledgerDays * DAY_MS), turn, isOver);
};

const findContent = async (needs: SweepNeeds, { mailId, bodyHash }: LedgerRow): Promise<unknown> => {
  const json = await needs.readPayload(mailId, bodyHash);
  return json === undefined ? undefined : parseJson(json);
};

type Record = Awaited<ReturnType<SweepNeeds['listRecords']>>['records'][number];

async function* allRecords(needs: SweepNeeds): AsyncIterable<Record> {
  let after: string | undefined;
  do {
    const { records, next } = await needs.listRecords(RECORDS_AT_ONCE, after);
    yield* records;
    after = next;
  } while (after !== undefined);
}

/** Records of mails that turned out well after all hold content that nobody needs; so do those of a lost race. */
const sweepRecords = async (needs: SweepNeeds, run: Run): Promise<void> => {
  const before = ago(needs, DAY_MS);
  await forEach(needs, run, allRecords(needs), {
    mailIdOf: ({ mailId }) => mailId,
    sweep: async ({ name, mailId, writtenAt }) => {
      if (writtenAt >= before) return;
      const row = (await needs.ledger.find(mailId))?.row;
      const isNeedless =
        row?.state === 'sent' || row?.state === 'closed' || (row?.state === 'held' && row.record !== name);
      if (!isNeedless) return;
      await needs.deleteRecord(name);
      run.counts.records += 1;
    },
  });
};

const isWaiting = (row: LedgerRow): row is Holdable => !isFinal(row.state);

/** The caller got no answer and only he had the mail: it is found in the mailbox, or held without its content. */
const resolveLost = async (
  needs: SweepNeeds,
  { row, etag }: { readonly row: SendingRow; readonly etag: string },
): Promise<boolean> => {
  const sighting = await needs.findInMailbox(row.sender, row.mailId);
  if (sighting.kind === 'not-now') return false;
  if (sighting.kind !== 'found') {
    const code = sighting.kind === 'absent' && row.leavesCopy ? 'MAIL_LOST' : 'OUTCOME_UNKNOWN';
    return (await hold(needs, { row, etag }, undefined, new AppError(code))) !== undefined;
  }
  const now = needs.now();
  const attempt = { at: now.toISOString(), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
  const unknown = recordUnknown(row, attempt, { code: 'OUTCOME_UNKNOWN', title: '', remedy: '' }, now);
  const found = recordFound(unknown, now);
  await announce(needs, found);
  return (await needs.ledger.replace(found, etag)) !== undefined;
};
