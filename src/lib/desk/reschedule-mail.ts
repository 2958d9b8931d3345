import type { Caller } from '../callers/caller.ts';
import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import { waitUntilDue } from '../delivery/schedule-mail.ts';
import { AppError } from '../errors.ts';
import { type InState, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import { reschedule } from '../ledger/transitions.ts';
import { decideSendAt } from '../mail/send-at.ts';
import type { Ports } from '../ports.ts';
import { stateDetail } from './find-held.ts';
import { findOwnMail, type MailStatus, type ToldNeeds, toStatusFor } from './mail-status.ts';
import { isWaiting } from './stop-waiting.ts';

export type RescheduleNeeds = QueueMailNeeds & ToldNeeds & Pick<Ports, 'ledger' | 'clock' | 'log'>;

/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 4;

/** A message that came before the row was written would find the old time there, and wait for that. */
const ROW_FIRST_MS = 30_000;

type Scheduled = InState<'queued'> & { readonly facts: { readonly sendAt: string } };

/**
 * Moves an email of this caller that waits for its `sendAt` to another time; one that has passed means now. The row decides when the email
 * is sent. A later time is found there by the message that waits already. For an earlier one another message is put first, which comes
 * then, with the same turn: of two such messages either does. Throws MAIL_NOT_FOUND, MAIL_UNDER_WAY, MAIL_NOT_SCHEDULED, SEND_AT_INVALID.
 */
export const rescheduleMail = async (
  needs: RescheduleNeeds,
  mailId: string,
  caller: Caller,
  sendAt: string,
): Promise<MailStatus> => {
  for (let race = 0; race < MAX_RACES; race += 1) {
    const { row, etag } = await findOwnMail(needs, mailId, caller);
    requireScheduled(row);
    const now = needs.clock.now();
    const due = decideSendAt(sendAt, now) ?? now.toISOString();
    if (due === row.facts.sendAt) return toStatusFor(needs, caller, row);
    const isEarlier = due < row.facts.sendAt;
    const waitMs = waitUntilDue(due, now);
    if (isEarlier) await putEarlier(needs, row, Math.max(waitMs, ROW_FIRST_MS));
    const moved = reschedule(row, due, now);
    if ((await needs.ledger.replace(moved, etag)) === undefined) continue;
    // The first comes all the same, half a minute later.
    if (isEarlier && waitMs < ROW_FIRST_MS) await putEarlier(needs, row, waitMs).catch(() => undefined);
    needs.log({ event: 'MailRescheduled', mailId: row.facts.mailId, sendAt: due });
    return toStatusFor(needs, caller, moved);
  }
  throw new AppError('MAIL_UNDER_WAY', { mailId });
};

function requireScheduled(row: LedgerRow): asserts row is Scheduled {
  const { mailId, sendAt } = row.facts;
  const refused = (detail: string) => new AppError('MAIL_NOT_SCHEDULED', { mailId, detail });
  if (isIn(row, 'sending')) throw new AppError('MAIL_UNDER_WAY', { mailId, detail: ATTEMPT });
  if (!isIn(row, 'queued')) throw refused(stateDetail(row));
  if (sendAt === undefined) throw refused('It has no `sendAt`: the relay sends it as soon as it can.');
  if (row.fate.limited !== undefined) throw refused('Its time has come, and it waits for a daily limit.');
  if (!isWaiting(row)) throw refused('An attempt whose outcome is unknown may have sent it.');
}

/** A message that comes at an earlier time than the one that waits. Its content is where every email that waits for its time has it. */
const putEarlier = async (
  needs: RescheduleNeeds,
  { facts, progress }: Scheduled,
  waitMs: number,
): Promise<void> => {
  const { mailId, caller, acceptedAt, bodyHash: contentHash } = facts;
  if ((await needs.payloads.sizeOf(mailId, contentHash)) === undefined)
    throw new AppError('MAIL_NOT_SCHEDULED', { mailId, detail: ONLY_LATER });
  await needs.payloads.keep(mailId, contentHash);
  const envelope = newEnvelope({
    mailId,
    caller,
    // As the message that waits has it: a replay begins anew.
    acceptedAt: new Date(progress.replayedAt ?? acceptedAt),
    contentHash,
    content: 'stored',
  });
  await queueMail(needs, { ...envelope, turn: progress.turn }, waitMs);
};

const ATTEMPT =
  'An attempt to send the email is in progress. Get its state: only an email that waits for its `sendAt` can be moved.';
const ONLY_LATER =
  'An earlier version of the relay has queued it, which kept its content where only its message finds it. It can be moved to a later time; to an earlier one within a day, after the relay has looked at it once.';
