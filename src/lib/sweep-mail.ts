import { AppError } from './errors.ts';
import type { Ledger, LedgerEntry } from './ledger/ledger.ts';
import { isFinal, type LedgerRow, recordFound, recordUnknown, type SendingRow } from './ledger/ledger-row.ts';
import type { Log } from './log.ts';
import type { LookUpNeeds } from './look-up-mail.ts';
import { parseJson } from './mail/read-mail.ts';
import { announce } from './mail-event.ts';
import { type SetAsideNeeds, type SettableAside, setAside } from './set-aside.ts';
import type { DeskNeeds } from './set-aside-desk.ts';

export type SweepNeeds = SetAsideNeeds &
  Pick<LookUpNeeds, 'findInMailbox'> &
  Pick<DeskNeeds, 'listRecords' | 'deleteRecord'> & {
    readonly ledger: Ledger;
    /** Stored contents of mails, written before `before`. */
    readonly listPayloads: (
      before: Date,
    ) => AsyncIterable<{ readonly name: string; readonly mailId: string }>;
    readonly deletePayload: (name: string) => Promise<void>;
    /** The stored content of a mail, if there is one. */
    readonly findPayload: (mailId: string) => Promise<string | undefined>;
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

/**
 * Looks for what no message and no caller will bring back: attempts that a caller waited for and whose process died,
 * mails that have waited too long, contents nobody needs any more, and rows whose time is over.
 */
export const sweepMail = async (needs: SweepNeeds): Promise<void> => {
  const now = needs.now();
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  const counts = { lost: 0, overdue: 0, payloads: 0, records: 0, expired: 0 };

  // By then Sent Items have had the time they are given.
  const lostBefore = ago(needs.sendingLimitMs + needs.verifyWindowMs);
  for await (const entry of needs.ledger.list({ states: ['sending'], before: lostBefore })) {
    const { row, etag } = entry;
    if (row.state === 'sending' && !row.inQueue && (await resolveLost(needs, { row, etag })))
      counts.lost += 1;
  }
  // At first only told of: their messages may stand in a long queue.
  const states = ['queued', 'waiting', 'unknown', 'sending'] as const;
  for await (const { row, etag } of needs.ledger.list({ states, before: ago(needs.giveUpAfterMs) })) {
    if (!isWaiting(row)) continue;
    needs.log({ event: 'MailOverdue', mailId: row.mailId, state: row.state });
    counts.overdue += 1;
    const reason = row.state === 'queued' || row.state === 'waiting' ? 'MAIL_LOST' : 'ATTEMPT_LOST';
    if (Date.parse(row.updatedAt) < ago(MESSAGE_GONE_AFTER_MS).getTime())
      await setAside(needs, { row, etag }, await findContent(needs, row.mailId), new AppError(reason));
  }
  for await (const { name, mailId } of needs.listPayloads(ago(DAY_MS))) {
    const entry: LedgerEntry | undefined = await needs.ledger.find(mailId);
    if (entry !== undefined && !isFinal(entry.row.state)) continue;
    await needs.deletePayload(name);
    counts.payloads += 1;
  }
  counts.records = await sweepRecords(needs, ago(DAY_MS));
  counts.expired = await needs.ledger.expire(ago(needs.ledgerDays * DAY_MS));
  needs.log({ event: 'MailSwept', ...counts });
};

const findContent = async (needs: SweepNeeds, mailId: string): Promise<unknown> => {
  const json = await needs.findPayload(mailId);
  return json === undefined ? undefined : parseJson(json);
};

/** Records of mails that turned out well after all hold content that nobody needs. */
const sweepRecords = async (needs: SweepNeeds, before: Date): Promise<number> => {
  let deleted = 0;
  let after: string | undefined;
  do {
    const { records, next } = await needs.listRecords(RECORDS_AT_ONCE, after);
    for (const { name, mailId, writtenAt } of records) {
      if (writtenAt >= before) continue;
      const state = (await needs.ledger.find(mailId))?.row.state;
      if (state !== 'sent' && state !== 'closed') continue;
      await needs.deleteRecord(name);
      deleted += 1;
    }
    after = next;
  } while (after !== undefined);
  return deleted;
};

const isWaiting = (row: LedgerRow): row is SettableAside => !isFinal(row.state);

/** The caller got no answer and only he had the mail: it is found in the mailbox, or set aside without its content. */
const resolveLost = async (
  needs: SweepNeeds,
  { row, etag }: { readonly row: SendingRow; readonly etag: string },
): Promise<boolean> => {
  const sighting = await needs.findInMailbox(row.sender, row.mailId);
  if (sighting.kind === 'not-now') return false;
  if (sighting.kind !== 'found') {
    const code = sighting.kind === 'absent' && row.leavesCopy ? 'MAIL_LOST' : 'OUTCOME_UNKNOWN';
    await setAside(needs, { row, etag }, undefined, new AppError(code));
    return true;
  }
  const now = needs.now();
  const attempt = { at: now.toISOString(), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
  const unknown = recordUnknown(row, attempt, { code: 'OUTCOME_UNKNOWN', title: '', remedy: '' }, now);
  const found = recordFound(unknown, now);
  await announce(needs, found);
  return (await needs.ledger.replace(found, etag)) !== undefined;
};
