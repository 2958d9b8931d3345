import type { HeldRecord } from '../delivery/hold.ts';
import { type AnnounceNeeds, announce } from '../delivery/mail-event.ts';
import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import { AppError } from '../errors.ts';
import type { Ledger, LedgerEntry } from '../ledger/ledger.ts';
import { close, type HeldRow, type LedgerRow, type QueuedRow, replay } from '../ledger/ledger-row.ts';
import type { Log } from '../log.ts';
import { isMailId, type MailStatus, toStatus } from './mail-status.ts';

/** The people who look after mails that were held: list, show, replay, close. */
export type DeskNeeds = QueueMailNeeds &
  AnnounceNeeds & {
    readonly ledger: Ledger;
    /** Records, oldest first, a page at a time. */
    readonly listRecords: (limit: number, after: string | undefined) => Promise<RecordPage>;
    readonly readRecord: (name: string) => Promise<HeldRecord | undefined>;
    readonly deleteRecord: (name: string) => Promise<void>;
    readonly now: () => Date;
    readonly log: Log;
  };

type RecordPage = {
  readonly records: readonly { readonly name: string; readonly mailId: string; readonly writtenAt: Date }[];
  readonly next?: string;
};

export type HeldPage = { readonly mails: readonly MailStatus[]; readonly next?: string };

const PAGE = 50;

/** The held mails, oldest first; `after` is the `next` of the page before. */
export const listHeld = async (needs: DeskNeeds, after: string | undefined): Promise<HeldPage> => {
  const { records, next } = await needs.listRecords(PAGE, after);
  const entries = await Promise.all(records.map(({ mailId }) => needs.ledger.find(mailId)));
  const mails = entries.flatMap((entry, index) => {
    // The record outlives its state by a moment when a replay or close was cut short.
    if (entry?.row.state !== 'held' || entry.row.record !== records[index]?.name) return [];
    return [toDeskStatus(entry.row)];
  });
  // Records are named after their day; within a day by their mail.
  mails.sort((one, other) => one.updatedAt.localeCompare(other.updatedAt));
  return { mails, ...(next === undefined ? {} : { next }) };
};

/** Any mail, for those who may see all. Throws MAIL_NOT_FOUND. */
export const showMail = async (needs: Pick<DeskNeeds, 'ledger'>, mailId: string): Promise<MailStatus> =>
  toDeskStatus((await findKnown(needs, mailId)).row);

/** With the name of the record, which is for those who may open it. */
const toDeskStatus = (row: LedgerRow): MailStatus => ({
  ...toStatus(row),
  ...(row.state === 'held' ? { record: row.record } : {}),
});

/**
 * Sends a mail that was held once more, from the queue. Repeating it does no harm: the second finds the mail
 * no longer held. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD, PAYLOAD_MISSING.
 */
export const replayMail = async (needs: DeskNeeds, mailId: string): Promise<MailStatus> => {
  const { row, etag } = await findHeld(needs, mailId);
  const record = await needs.readRecord(row.record);
  if (record?.original === undefined) throw new AppError('PAYLOAD_MISSING');
  if (typeof record.original !== 'object' || record.original === null)
    throw new AppError('MESSAGE_UNREADABLE');
  const now = needs.now();
  // A row of what could not be read has no hash.
  const contentHash = row.bodyHash || (await needs.readIdentity()).hashOfContent(record.original);
  const queued = { ...replay(row, now), bodyHash: contentHash };
  await queueMail(
    needs,
    {
      mailId: row.mailId,
      acceptedAt: now,
      caller: row.caller,
      turn: queued.turn,
      phase: 'send',
      lookUps: 0,
      contentHash,
      content: { mail: record.original },
    },
    0,
  );
  if ((await needs.ledger.replace(queued, etag)) === undefined)
    return toStatus(await replayedElsewhere(needs, queued));
  await needs.deleteRecord(row.record);
  needs.log({ event: 'MailReplayed', mailId: row.mailId });
  return toStatus(queued);
};

/** Somebody changed the row first: with the message of this replay or another one, or by closing the mail. */
const replayedElsewhere = async (needs: DeskNeeds, { mailId, turn }: QueuedRow): Promise<LedgerRow> => {
  const { row } = await findKnown(needs, mailId);
  if (row.turn < turn) throw new AppError('MAIL_NOT_HELD', { detail: describeState(row) });
  return row;
};

/** Ends a mail that was held without sending it. Throws MAIL_NOT_FOUND, MAIL_NOT_HELD. */
export const closeMail = async (needs: DeskNeeds, mailId: string, note: string): Promise<MailStatus> => {
  const { row, etag } = await findHeld(needs, mailId);
  const closed = close(row, note, needs.now());
  await announce(needs, closed);
  if ((await needs.ledger.replace(closed, etag)) === undefined) throw new AppError('MAIL_NOT_HELD');
  await needs.deleteRecord(row.record);
  needs.log({ event: 'MailClosed', mailId: row.mailId });
  return toStatus(closed);
};

const findKnown = async ({ ledger }: Pick<DeskNeeds, 'ledger'>, mailId: string): Promise<LedgerEntry> => {
  const entry = isMailId(mailId) ? await ledger.find(mailId.toLowerCase()) : undefined;
  if (entry === undefined) throw new AppError('MAIL_NOT_FOUND');
  return entry;
};

const findHeld = async (
  needs: Pick<DeskNeeds, 'ledger'>,
  mailId: string,
): Promise<{ readonly row: HeldRow; readonly etag: string }> => {
  const { row, etag } = await findKnown(needs, mailId);
  if (row.state !== 'held') throw new AppError('MAIL_NOT_HELD', { detail: describeState(row) });
  return { row, etag };
};

const describeState = (row: LedgerRow): string => `The email is in the state ${row.state}.`;
