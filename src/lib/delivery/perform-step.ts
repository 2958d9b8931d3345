import { defined } from '../defined.ts';
import { errorOf, type Reason, upstreamFacts } from '../errors.ts';
import {
  type Attempt,
  attemptsOf,
  type InState,
  isIn,
  type LedgerRow,
  waitsSince,
} from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import {
  recordDeferred,
  recordFound,
  recordRejected,
  recordSent,
  recordUnknown,
} from '../ledger/transitions.ts';
import type { MailboxMeter } from '../metrics/mailbox-use.ts';
import type { LedgerEntry } from '../ports.ts';
import { oddly } from '../sending/mailbox-lane.ts';
import type { StepAfterAttempt, StepAfterLookUp } from '../sending/next-step.ts';
import { announce } from './announce.ts';
import { type HoldNeeds, type HoldSubject, hold } from './hold.ts';
import { deletePayload, type QueueMailNeeds, queueMail } from './queue-mail.ts';
import type { WatchSender } from './watch-sender.ts';

export type StepNeeds = QueueMailNeeds &
  HoldNeeds & {
    /** Present where reports of what was not delivered are read. */
    readonly watchSender?: WatchSender;
    /** Remembers how much of its limits a mailbox uses. */
    readonly mailboxUse?: Pick<MailboxMeter, 'sent'>;
  };

type Message = {
  /** As a message about this email would be written. */
  readonly envelope: Envelope;
  /** Gives the email as it came, for the record of a held one. */
  readonly readOriginal: () => Promise<unknown>;
};

/** An attempt that has ended. */
export type AfterAttempt = Message &
  LedgerEntry<InState<'sending'>> & {
    readonly attempt: Attempt;
    /** It was begun elsewhere and found unfinished: a message that knows more of it may still come. */
    readonly foundUnfinished?: boolean;
    /** What is done once the row says that it was rejected: nothing of it was accepted then. */
    readonly onRejected?: () => void;
  };

/** A look-up that has ended. */
export type AfterLookUp = Message & LedgerEntry<InState<'unknown'>>;

/** The row as it is then; `isBeaten` when somebody else had written it first, so that nothing was written here. */
export type Performed = { readonly row: LedgerRow; readonly isBeaten: boolean };

/*
 * A message that continues an email is always put on the queue before the ledger says so: a crash in between leaves a
 * message that says more than the row, which `decideDelivery` understands, and never a row without a message.
 */

/** Does what follows from an attempt: message, log, event and row. Throws STORAGE_UNAVAILABLE. */
export const performAfterAttempt = async (
  needs: StepNeeds,
  ended: AfterAttempt,
  step: StepAfterAttempt,
  now: Date,
): Promise<Performed> => {
  const { row, etag, attempt, envelope } = ended;
  const log = { mailId: row.facts.mailId, attempts: attemptsOf(row) + 1, ...upstreamFacts(attempt) };
  const next = { ...withUsedStart(envelope), turn: row.progress.turn + 1, lookUps: 0 };
  switch (step.kind) {
    case 'record-sent': {
      // What Graph has accepted is sent, whether the row can be written or not, and whoever has written it since.
      const { caller, recipients, tags, sender } = row.facts;
      const sent = { ...log, caller, recipients, tags, verified: false, ...sentBy(row) };
      needs.log({ event: 'MailSent', ...sent, ...agesOf(row, now) });
      needs.mailboxUse?.sent(sender, recipients, now);
      await needs.watchSender?.(row);
      const performed = await write(needs, recordSent(row, attempt, now), etag);
      if (!performed.isBeaten) await deletePayload(needs, envelope);
      return performed;
    }
    case 'reject':
      needs.log({ event: 'MailRejected', ...log, code: step.reason.code });
      return writeRejected(needs, ended, recordRejected(row, attempt, step.reason, now));
    case 'send-later': {
      const { reason, waitMs, isResend } = step;
      const resent = row.progress.resent || isResend;
      await queueMail(needs, { ...next, phase: 'send', resent }, waitMs);
      // Of a resend, MailUnknown has said why.
      if (!isResend) needs.log({ event: 'MailQueued', ...log, code: reason.code, waitMs });
      const until = new Date(now.getTime() + waitMs);
      return write(needs, recordDeferred(row, attempt, { reason, until, isResend }, now), etag);
    }
    case 'look-up-later': {
      await queueMail(needs, { ...next, phase: 'look-up', resent: row.progress.resent }, step.waitMs);
      const reason: Reason = { code: 'OUTCOME_UNKNOWN', ...upstreamFacts(attempt) };
      return write(needs, recordUnknown(row, attempt, reason, now), etag);
    }
    case 'hold':
      return performHold(needs, { row, etag, attempt }, ended, step);
  }
};

/** It still says that it has waited. Its start went to Graph: were it given back as unused, another email would go beyond the limit. */
const withUsedStart = ({ dueAt, ...envelope }: Envelope): Envelope =>
  dueAt === undefined ? envelope : { ...envelope, dueAt: new Date(oddly(dueAt.getTime())) };

/** Does what follows from a look-up: message, event, row and log. Throws STORAGE_UNAVAILABLE. */
export const performAfterLookUp = async (
  needs: StepNeeds,
  looked: AfterLookUp,
  step: Exclude<StepAfterLookUp, { kind: 'send-now' | 'remove-draft' }>,
  now: Date,
): Promise<Performed> => {
  const { row, etag, envelope } = looked;
  switch (step.kind) {
    case 'record-sent': {
      const { internetMessageId } = step;
      const found = recordFound(row, now, defined({ internetMessageId }));
      await needs.watchSender?.(row);
      const performed = await write(needs, found, etag);
      // Whoever was faster has found it too.
      if (performed.isBeaten) return performed;
      const { mailId, caller, recipients, tags } = row.facts;
      const attempts = attemptsOf(row);
      const facts = { mailId, attempts, caller, recipients, tags };
      const tookMs = sinceDue(row, now);
      needs.log({ event: 'MailSent', ...facts, verified: true, ...sentBy(row), tookMs });
      needs.mailboxUse?.sent(row.facts.sender, recipients, now);
      await deletePayload(needs, envelope);
      return performed;
    }
    case 'look-up-later': {
      // The same turn: looking twice does no harm, and only one can claim the row in the end.
      const { waitMs, lookUps } = step;
      await queueMail(needs, { ...envelope, turn: row.progress.turn, phase: 'look-up', lookUps }, waitMs);
      return { row, isBeaten: false };
    }
    case 'hold':
      return performHold(needs, { row, etag }, looked, step);
  }
};

const sinceDue = (row: LedgerRow, time: Date): number =>
  Math.max(0, time.getTime() - waitsSince(row).getTime());

/** The row of an attempt was last written as the attempt began, or as the sending of its draft did. */
const agesOf = (
  row: InState<'sending'>,
  now: Date,
): { readonly tookMs: number; readonly queuedMs?: number } => ({
  tookMs: sinceDue(row, now),
  ...(row.progress.inQueue ? { queuedMs: sinceDue(row, new Date(row.progress.updatedAt)) } : {}),
});

const sentBy = ({ progress: { route } }: LedgerRow): { readonly connection?: string } =>
  defined({ connection: route?.connection });

const performHold = async (
  needs: StepNeeds,
  subject: Extract<HoldSubject, LedgerEntry>,
  { envelope, readOriginal, foundUnfinished = false }: Message & Pick<AfterAttempt, 'foundUnfinished'>,
  { why, reason }: Extract<StepAfterAttempt, { kind: 'hold' }>,
): Promise<Performed> => {
  const original = await readOriginal();
  const held = await hold(needs, subject, { why, reason: errorOf(reason), original });
  if (held === undefined) {
    // Whoever has the row now goes on with the email, and needs its content.
    const current = await needs.ledger.find(subject.row.facts.mailId);
    return { row: current?.row ?? subject.row, isBeaten: true };
  }
  if (!foundUnfinished) await deletePayload(needs, envelope);
  return { row: held, isBeaten: false };
};

const writeRejected = async (
  needs: StepNeeds,
  { etag, onRejected }: AfterAttempt,
  rejected: LedgerRow,
): Promise<Performed> => {
  const performed = await write(needs, rejected, etag);
  // Else whoever took this attempt for lost may send it.
  if (!performed.isBeaten) onRejected?.();
  return performed;
};

const write = async (needs: StepNeeds, next: LedgerRow, etag: string): Promise<Performed> => {
  const told = await announce(needs, next);
  const written = await needs.ledger.replace(told, etag).catch((error: unknown) => {
    // The message is on the queue, and says what the row should.
    if (isIn(next, 'deferred', 'unknown')) return undefined;
    throw error;
  });
  // Or somebody was faster with the message we wrote, or took this attempt for lost: the ledger is ahead of us.
  if (written === undefined)
    needs.log({ event: 'LedgerBehind', mailId: next.facts.mailId, state: next.fate.state });
  return { row: told, isBeaten: written === undefined };
};
