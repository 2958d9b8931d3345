import { withinCeiling } from '../callers/caller-policy.ts';
import { defined } from '../defined.ts';
import { catalogue } from '../error-catalogue.ts';
import { AppError, errorOf } from '../errors.ts';
import { isRowInGap } from '../ledger/ledger-gap.ts';
import { type InState, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { claimAfresh, queueAfresh, requeue } from '../ledger/transitions.ts';
import { USUAL_PRIORITY } from '../mail/priority.ts';
import type { LedgerEntry } from '../ports.ts';
import { decideLost } from '../sending/draft-stage.ts';
import { divertedBy } from './accept-mail.ts';
import { type AttemptNeeds, concludeForCaller, type IncomingMail, notStored } from './attempt-for-caller.ts';
import { bringBackMail } from './bring-back-mail.ts';
import { captureMail } from './capture-mail.ts';
import { concludeAttempt } from './conclude-attempt.ts';
import { countForCaller } from './count-for-caller.ts';
import { dayReached, sendInLane, type Waiting, waiterOf } from './in-lane.ts';
import { queueMail } from './queue-mail.ts';
import { scheduleMail, waitUntilDue } from './schedule-mail.ts';
import { takeBack } from './take-back.ts';

type Answer = { readonly row: LedgerRow; readonly repeated: boolean };

/**
 * The answer for an email the ledger knows: the first answer again, or the reason why not. Undefined when another
 * invocation changed the row first. Throws IDEMPOTENCY_KEY_REUSED, MAIL_UNDER_WAY, MAIL_CANCELED and the first reason again.
 */
export const answerRepeat = async (
  needs: AttemptNeeds,
  mail: IncomingMail,
  { row, etag }: LedgerEntry,
  respondAsync: boolean,
): Promise<Answer | undefined> => {
  const { mailId } = row.facts;
  if (!mail.isSame(row)) throw new AppError('IDEMPOTENCY_KEY_REUSED', { mailId });
  const known = asKnown(mail, row);
  if (isIn(row, 'sending')) return answerSending(needs, known, { row, etag });
  if (isIn(row, 'rejected')) return tryAfresh(needs, known, { row, etag }, respondAsync);
  if (isIn(row, 'canceled')) throw new AppError('MAIL_CANCELED', { mailId });
  if (isIn(row, 'queued')) return putAgain(needs, known, { row, etag });
  if (isIn(row, 'held') && !row.fate.hasContent) {
    const brought = { mail: mail.accepted.mail, envelope: known.envelope, original: mail.input };
    return { row: await bringBackMail(needs, { row, etag }, brought), repeated: true };
  }
  return { row, repeated: true };
};

/** The email as the ledger has it: of an earlier version, the hash of the same content can be another, and its first priority counts. */
const asKnown = (mail: IncomingMail, { facts }: LedgerRow): IncomingMail => {
  const { accepted } = mail;
  const { priority: _, ...envelope } = mail.envelope;
  const { bodyHash: contentHash, priority } = facts;
  return {
    ...mail,
    accepted: { ...accepted, priority: withinCeiling(accepted.caller, priority ?? USUAL_PRIORITY) },
    envelope: { ...envelope, contentHash, ...defined({ priority }) },
  };
};

/** Whoever was sending it may have died; the caller has brought it back, so that it can be looked up and go on. */
const answerSending = async (
  needs: AttemptNeeds,
  { accepted, envelope, input }: IncomingMail,
  entry: LedgerEntry<InState<'sending'>>,
): Promise<Answer> => {
  const age = needs.clock.now().getTime() - Date.parse(entry.row.progress.updatedAt);
  const { mailId } = entry.row.facts;
  if (age < needs.policy.sendingLimitMs) throw new AppError('MAIL_UNDER_WAY', { mailId });
  const row = await concludeAttempt(needs, {
    ...entry,
    outcome: decideLost(entry.row.progress),
    mail: accepted.mail,
    envelope,
    readOriginal: async () => input,
    callerWaits: true,
  });
  return { row, repeated: true };
};

/** What an administrator may have corrected since is tried afresh: nothing was accepted the first time. */
const tryAfresh = async (
  needs: AttemptNeeds,
  mail: IncomingMail,
  { row, etag }: LedgerEntry<InState<'rejected'>>,
  respondAsync: boolean,
): Promise<Answer | undefined> => {
  const { mailId } = row.facts;
  if (catalogue[row.fate.reason.code].fixedBy === 'caller') throw errorOf(row.fate.reason, mailId);
  const { sendAt } = mail.accepted.facts;
  const { countedAt, giveBack } = await countForCaller(needs, mail.accepted);
  const how = {
    ...divertedBy(mail.accepted.handling),
    countedAt,
    sender: mail.accepted.sender.address,
  };
  /** Row first, as for a new email: the message of one that is due could arrive before its row, and be dropped. */
  const queueFor = async ({
    waitMs,
    dueAt,
    giveBack: giveStartBack,
  }: Waiting): Promise<Answer | undefined> => {
    const now = needs.clock.now();
    const written = await needs.ledger.replace(queueAfresh(row, now, how), etag).catch(notStored);
    if (written === undefined || !isIn(written.row, 'queued')) {
      giveBack();
      giveStartBack?.();
      return undefined;
    }
    const entry = { row: written.row, etag: written.etag };
    const envelope = { ...mail.envelope, turn: written.row.progress.turn, ...defined({ dueAt }) };
    await queueMail(needs, envelope, waitMs)
      .catch((error: unknown) => takeBack(needs, entry, error))
      .catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'MAIL_NOT_STORED') giveBack();
        throw error;
      });
    needs.log({ event: 'MailQueued', mailId, attempts: written.row.progress.attempts.length, waitMs });
    return { row: written.row, repeated: false };
  };
  if (sendAt !== undefined && waitUntilDue(sendAt, needs.clock.now()) > 0) {
    const queued = queueAfresh(row, needs.clock.now(), how);
    await scheduleMail(needs, { ...mail.envelope, turn: queued.progress.turn }, sendAt).catch(notStored);
    const written = await needs.ledger.replace(queued, etag).catch(notStored);
    if (written !== undefined) return { row: written.row, repeated: false };
    giveBack();
    return undefined;
  }
  if (respondAsync || isRowInGap(row, (await needs.readIdentity()).gap)) return queueFor({ waitMs: 0 });
  if (mail.accepted.handling.kind === 'capture') {
    const captured = await captureMail(needs, mail.accepted, { row, etag }).catch(notStored);
    if (captured === undefined) giveBack();
    return captured && { row: captured, repeated: false };
  }
  let isClaimed = false;
  const { envelope, accepted } = mail;
  const who = waiterOf(envelope, accepted, envelope.acceptedAt);
  const result = await sendInLane(needs, accepted.plan, who, async () => {
    const route = needs.mailboxes.routeOf(mail.accepted.plan.mailbox);
    const going = { ...how, route };
    const claim = claimAfresh(row, needs.clock.now(), mail.accepted.plan.kind, going);
    const claimed = await needs.ledger.replace(claim, etag);
    isClaimed = claimed !== undefined;
    return claimed;
  });
  if (!isClaimed && result.kind !== 'wait') giveBack();
  switch (result.kind) {
    case 'full':
      throw new AppError('MAILBOX_BOOKED_UP');
    case 'wait':
      return queueFor(result);
    case 'day':
      throw dayReached(result);
    case 'beaten':
      return undefined;
    case 'ended':
      return {
        row: await concludeForCaller(needs, mail, { ...result, onRejected: giveBack }),
        repeated: false,
      };
  }
};

/**
 * Perhaps without its message, as the first request died in between: the message again does no harm. Once only, or a caller
 * who repeats a request for a month would fill the queue.
 */
export const putAgain = async (
  needs: AttemptNeeds,
  { envelope }: Pick<IncomingMail, 'envelope'>,
  { row, etag }: LedgerEntry<InState<'queued'>>,
): Promise<Answer | undefined> => {
  if (row.progress.hasMessage) return { row, repeated: true };
  const message = { ...envelope, turn: row.progress.turn };
  const { sendAt } = row.facts;
  if (sendAt === undefined) await queueMail(needs, message, 0);
  else await scheduleMail(needs, message, sendAt);
  const again = await needs.ledger.replace(requeue(row, needs.clock.now()), etag);
  return again === undefined ? undefined : { row: again.row, repeated: true };
};
