import type { Reached } from '../callers/quota.ts';
import { AppError } from '../errors.ts';
import { type Arrival, asOf } from '../ledger/arrived-message.ts';
import { decideDelivery } from '../ledger/delivery-decision.ts';
import {
  type InState,
  isIn,
  isKeptFromRecipients,
  isUncounted,
  type LedgerRow,
  type MailFacts,
  triedSince,
} from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { claim, claimAfresh, claimNew, queueNew } from '../ledger/transitions.ts';
import { USUAL_PRIORITY } from '../mail/priority.ts';
import type { LedgerEntry } from '../ports.ts';
import { decideLost } from '../sending/draft-stage.ts';
import { type AcceptableMail, divertedBy, sketchFacts } from './accept-mail.ts';
import { type CaptureNeeds, captureMail } from './capture-mail.ts';
import { type ConcludeNeeds, concludeAttempt } from './conclude-attempt.ts';
import { isKnownNearLimit } from './count-for-caller.ts';
import { hold } from './hold.ts';
import { giveStartBack, type LaneNeeds, sendInLane, waiterOf } from './in-lane.ts';
import { lookUpMail } from './look-up-mail.ts';
import type { Taken } from './purse.ts';
import { deletePayload, queueMail } from './queue-mail.ts';
import { UNCOUNTED } from './quotas.ts';
import { readContent } from './read-content.ts';
import { type ReadMailNeeds, readMailOf } from './read-mail-of.ts';
import { scheduleMail, waitUntilDue } from './schedule-mail.ts';
import { isToSeek, type SeekNeeds, seekMail } from './seek-mail.ts';
import { waitForDay } from './wait-for-day.ts';
import { stillLimited, type WaitForLimitNeeds, waitForLimit } from './wait-for-limit.ts';

export type DeliverArrivalNeeds = ConcludeNeeds &
  LaneNeeds &
  ReadMailNeeds &
  WaitForLimitNeeds &
  CaptureNeeds &
  SeekNeeds;

type Needs = DeliverArrivalNeeds;

/** `beaten` when another invocation changed the row first, so that the decision has to be made again. */
type Turn = 'done' | 'beaten';

/** Losing a race more often than this is no race but a fault; the host then delivers the message again. */
const MAX_RACES = 4;

/** Does what the ledger and a message say together. Throws STORAGE_UNAVAILABLE. */
export const deliverArrival = async (needs: Needs, arrival: Arrival): Promise<void> => {
  const { envelope, isBare } = arrival;
  // A bare message is nearly always new: its claim is tried before anything is read.
  let entry = isBare ? undefined : await needs.ledger.find(envelope.mailId);
  for (let race = 0; race < MAX_RACES; race += 1) {
    if ((await takeTurn(needs, arrival, entry)) === 'done') return;
    entry = await needs.ledger.find(envelope.mailId);
  }
  throw new Error('the ledger row changed again and again while its message was delivered');
};

const takeTurn = async (needs: Needs, arrived: Arrival, entry: LedgerEntry | undefined): Promise<Turn> => {
  const arrival = entry === undefined ? arrived : asOf(arrived, entry.row, await needs.readIdentity());
  if (arrival === undefined) return holdStray(needs, arrived);
  const { envelope } = arrival;
  const decision = decideDelivery(entry?.row, envelope, needs.clock.now(), needs.policy.sendingLimitMs);
  if (entry === undefined || decision.kind === 'first') return send(needs, arrival);
  const { row, etag } = entry;
  switch (decision.kind) {
    case 'drop':
      if (decision.done) await deletePayload(needs, envelope);
      if (isIn(row, 'canceled', 'closed')) giveStartBack(needs, envelope, row);
      needs.log({ event: 'MailRepeated', mailId: envelope.mailId, state: row.fate.state });
      return 'done';
    case 'later':
      await queueMail(needs, envelope, decision.waitMs);
      return 'done';
    case 'send':
      return sendIfDue(needs, arrival, { row: decision.row, etag, wasHeld: row.fate.state === 'held' });
    case 'look-up': {
      const unknown = { row: decision.row, etag };
      const readOriginal = () => readContent(needs, envelope);
      const looked = await lookUpMail(needs, { ...unknown, envelope, readOriginal });
      return typeof looked === 'string'
        ? looked
        : send(needs, arrival, { row: looked, etag, wasHeld: false });
    }
    case 'lost':
      return concludeLost(needs, envelope, { row: decision.row, etag });
    case 'afresh':
      return sendOnceMore(needs, arrival, { row: decision.row, etag });
  }
};

/**
 * Lets an email that was rejected by HTTP go once more. Its message first gets the turn of the row: with an earlier one it would count
 * as a copy, were it delivered again after a crash. With a later one it would count as proof that an attempt had ended.
 */
const sendOnceMore = async (
  needs: Needs,
  arrival: Arrival,
  entry: LedgerEntry<InState<'rejected'>>,
): Promise<Turn> => {
  const { envelope } = arrival;
  const { turn } = entry.row.progress;
  if (envelope.turn === turn) return send(needs, arrival, undefined, entry);
  await queueMail(needs, { ...envelope, turn }, 0);
  return 'done';
};

/** Holds an email whose key belongs to another; dropped as a copy of that one, it would be lost. */
const holdStray = async (needs: Needs, { envelope, strayId }: Arrival): Promise<Turn> => {
  const original = await readContent(needs, envelope);
  const origin = { ...envelope, mailId: strayId };
  const caller = (await needs.callers.known()).named(envelope.caller);
  const facts = sketchFacts(needs.accept, await needs.readIdentity(), origin, original, caller);
  const reason = new AppError('IDEMPOTENCY_KEY_REUSED');
  await hold(needs, { facts }, { why: 'refused', reason, original });
  return 'done';
};

type Sendable = LedgerEntry<InState<'queued' | 'deferred' | 'unknown'>> & {
  /** It was held before this message came. */
  readonly wasHeld: boolean;
};

/** Sends an email, or lets it wait on; for that its content need not be read. */
const sendIfDue = async (
  needs: Needs,
  arrival: Arrival,
  entry: Sendable & LedgerEntry<InState<'queued' | 'deferred'>>,
): Promise<Turn> => {
  const { envelope } = arrival;
  const { row } = entry;
  if (waitUntilDue(row.facts.sendAt, needs.clock.now()) > 0) return wait(needs, envelope, row.facts);
  const limited = await stillLimited(needs, row);
  if (limited === undefined) return send(needs, arrival, entry);
  const { caller, reached } = limited;
  const readOriginal = () => readContent(needs, envelope);
  return waitForLimit(needs, { arrival, caller, facts: row.facts, entry, readOriginal }, reached);
};

type Rejected = LedgerEntry<InState<'rejected'>>;

const judged = ({ unjudged: _, ...envelope }: Envelope): Envelope => envelope;

/** Sends an email that waits in the ledger (`entry`), that its caller was told is rejected, or that is new. */
const send = async (needs: Needs, arrival: Arrival, entry?: Sendable, rejected?: Rejected): Promise<Turn> => {
  const { envelope, isBare } = arrival;
  // What waits in the ledger was judged before.
  const read = await readMailOf(needs, envelope, {
    door: entry === undefined && envelope.unjudged ? 'queue' : undefined,
    ...(entry === undefined ? {} : asAccepted(entry.row, envelope)),
  });
  if ('refused' in read) {
    const { refused: reason, facts, original } = read;
    // The record it has is better than an empty one.
    if (entry?.wasHeld && original === undefined) return 'done';
    const ownId = rejected === undefined ? arrival.refusedId : arrival.strayId;
    const subject = entry ?? { facts: { ...facts, mailId: ownId } };
    const isSought = isToSeek(await needs.readIdentity(), envelope, facts, entry);
    // Looking needs no content.
    if (isSought && entry !== undefined && entry.row.facts.sender !== '')
      return seekMail(needs, { ...{ envelope, facts, entry, original }, plan: undefined, how: {} });
    const isInDoubt = isSought || (entry !== undefined && isLeftInDoubt(entry));
    const order = isInDoubt
      ? ({ why: 'doubt', reason: inDoubt(reason) } as const)
      : ({ why: 'refused', reason } as const);
    const held = await hold(needs, subject, { ...order, original });
    // Where nothing but this message has the id, the row that is there is of this message, held before.
    if (held === undefined)
      return entry === undefined && (isBare || rejected !== undefined) ? 'done' : 'beaten';
    if (entry !== undefined) giveStartBack(needs, envelope, entry.row);
    await deletePayload(needs, envelope);
    return 'done';
  }
  const { accepted, original } = read;
  const isNew = entry === undefined && rejected === undefined;
  const sendAt = entry?.row.facts.sendAt ?? accepted.facts.sendAt;
  if (waitUntilDue(sendAt, needs.clock.now()) > 0) {
    const queued = queueNew(accepted.facts, needs.clock.now(), divertedBy(accepted.handling));
    if (isNew && (await needs.ledger.create(queued)) === undefined) return 'beaten';
    return wait(needs, envelope, { sendAt });
  }
  if (entry !== undefined && accepted.handling.kind === 'send' && isKeptFromRecipients(entry.row)) {
    const reason = new AppError('SAFETY_SWITCHED_OFF');
    const order = mayBeSent(entry)
      ? ({ why: 'doubt', reason: inDoubt(reason) } as const)
      : ({ why: 'refused', reason } as const);
    if ((await hold(needs, entry, { ...order, original })) === undefined) return 'beaten';
    giveStartBack(needs, envelope, entry.row);
    await deletePayload(needs, envelope);
    return 'done';
  }
  const { caller, facts } = accepted;
  // Only of a bare message the ledger was not asked before.
  if (isNew && isBare && (await isKnownNearLimit(needs, accepted))) return 'beaten';
  const taken = await countArrived(needs, accepted, entry);
  if (taken.kind === 'reached') {
    const readOriginal = async () => original;
    const isRejected = rejected !== undefined;
    const how = divertedBy(accepted.handling);
    return waitForLimit(needs, { arrival, caller, facts, entry, how, isRejected, readOriginal }, taken);
  }
  if (accepted.handling.kind === 'capture') {
    const turn = await capture(needs, arrival, { accepted, original }, entry ?? rejected);
    if (turn === 'beaten') taken.giveBack();
    else if (entry !== undefined) giveStartBack(needs, envelope, entry.row);
    return turn;
  }
  if (isToSeek(await needs.readIdentity(), envelope, facts, entry ?? rejected)) {
    const how = { ...divertedBy(accepted.handling), ...seenOf(needs, accepted), countedAt: taken.countedAt };
    const sought = { envelope, facts, entry: entry ?? rejected, plan: accepted.plan, how, original };
    const turn = await seekMail(needs, sought);
    if (turn === 'beaten') taken.giveBack();
    return turn;
  }
  let isClaimed = false;
  const waitsSince = entry === undefined ? dueSince(envelope, sendAt) : new Date(triedSince(entry.row));
  const who = { ...waiterOf(envelope, accepted, waitsSince), givesWay: true };
  const result = await sendInLane(needs, accepted.plan, who, async () => {
    const claimed = await claimFor(needs, accepted, { entry, rejected, countedAt: taken.countedAt });
    isClaimed = claimed !== undefined;
    return claimed;
  });
  // Where storage failed, the row may say that it was counted.
  if (!isClaimed) taken.giveBack();
  switch (result.kind) {
    case 'beaten':
      return 'beaten';
    case 'ended':
      await concludeAttempt(needs, {
        ...result,
        mail: accepted.mail,
        envelope: judged(envelope),
        readOriginal: async () => original,
        callerWaits: false,
      });
      return 'done';
    case 'day': {
      const how = divertedBy(accepted.handling);
      const turn = await waitForDay(needs, { envelope, facts, entry, isNew, how }, result);
      // It asks again, or was canceled. The place that it brought is given back with its message.
      const { dueAt } = result;
      if (turn === 'beaten' && dueAt.getTime() !== envelope.dueAt?.getTime())
        giveStartBack(needs, { ...envelope, dueAt }, { facts });
      return turn;
    }
    default: {
      // Into the ledger first, so that its state can be asked for while it waits.
      const now = needs.clock.now();
      const queued = queueNew(accepted.facts, now, divertedBy(accepted.handling));
      if (isNew && !(await needs.ledger.create(queued))) {
        if (result.kind === 'wait') result.giveBack?.();
        return 'beaten';
      }
      // Where no time could be kept for it, it asks again as any other.
      const { dueAt: _told, ...unbooked } = envelope;
      const next = result.kind === 'full' ? unbooked : { ...unbooked, dueAt: result.dueAt };
      await queueMail(needs, next, result.waitMs);
      needs.log({ event: 'MailPaced', mailId: envelope.mailId, waitMs: result.waitMs });
      return 'done';
    }
  }
};

/** A draft of it was submitted, it is sent once more by choice, or nobody knows how it went that it was looked for. */
const isLeftInDoubt = (entry: Sendable): boolean => {
  const { draft, soughtAt, way } = entry.row.progress;
  return draft?.isSubmitted === true || (soughtAt !== undefined && way === undefined) || mayBeSent(entry);
};

/** That it may have been sent is worth more than why it is not sent again: whoever replays it must look first. */
const inDoubt = (refused: AppError): AppError =>
  new AppError('OUTCOME_UNKNOWN', {
    detail: `An attempt may have sent the email. It was not sent again, because of ${refused.code}.`,
  });

/** Counts it towards the limit of its caller, unless that was done before. */
const countArrived = async (
  { quotas, clock }: Needs,
  { caller, facts }: AcceptableMail,
  entry: Sendable | undefined,
): Promise<Taken | Reached> =>
  entry === undefined || isUncounted(entry.row)
    ? quotas.take(caller, facts.recipients, clock.now())
    : UNCOUNTED;

/** Keeps an email that would be sent now, unless it may have been sent before and nobody has looked since. */
const capture = async (
  needs: Needs,
  { envelope }: Arrival,
  { accepted, original }: { readonly accepted: AcceptableMail; readonly original: unknown },
  entry: Sendable | Rejected | undefined,
): Promise<Turn> => {
  if (entry !== undefined && mayBeSent(entry)) {
    const order = { why: 'doubt', reason: new AppError('OUTCOME_UNKNOWN'), original } as const;
    if ((await hold(needs, entry, order)) === undefined) return 'beaten';
    await deletePayload(needs, envelope);
    return 'done';
  }
  const captured = await captureMail(needs, accepted, entry ?? { isInQueue: true });
  if (captured === undefined) return 'beaten';
  await deletePayload(needs, envelope);
  return 'done';
};

/** Of one that is sent once more by choice, or whose draft was submitted, nobody has seen yet whether it was sent. */
const mayBeSent = (entry: Sendable | Rejected): entry is Sendable => {
  const { fate, progress } = entry.row;
  return (
    fate.state === 'deferred' &&
    (progress.resent ||
      progress.draft?.isSubmitted === true ||
      progress.attempts.at(-1)?.outcome === 'unknown')
  );
};

const wait = async (
  needs: Needs,
  envelope: Envelope,
  { sendAt }: { readonly sendAt?: string | undefined },
): Promise<Turn> => {
  if (sendAt !== undefined) await scheduleMail(needs, envelope, sendAt);
  return 'done';
};

/**
 * As whom, with which priority and for when the ledger has it; of what was held before it could be judged, nobody knows whose it is yet. A
 * row of a version without priorities knows none, although its email can have one: it was held for that, and replayed since.
 */
const asAccepted = ({ facts: { sender, sendAt, priority } }: LedgerRow, envelope: Envelope) => ({
  acceptedAs: sender === '' ? undefined : sender,
  acceptedWith: priority ?? envelope.priority ?? USUAL_PRIORITY,
  dueAt: sendAt,
});

/** Since when a new email can go. */
const dueSince = ({ acceptedAt }: Envelope, sendAt: string | undefined): Date =>
  new Date(Math.max(acceptedAt.getTime(), sendAt === undefined ? 0 : Date.parse(sendAt)));

/** As whom it goes, and by which connection. */
const seenOf = ({ mailboxes }: Needs, { facts: { sender }, plan }: AcceptableMail) => ({
  sender,
  route: mailboxes.routeOf(plan.mailbox),
});

type Claiming = {
  readonly entry: Sendable | undefined;
  readonly rejected: Rejected | undefined;
  readonly countedAt: string | undefined;
};

const claimFor = (
  needs: Needs,
  accepted: AcceptableMail,
  { entry, rejected, countedAt }: Claiming,
): Promise<LedgerEntry<InState<'sending'>> | undefined> => {
  const { ledger, clock } = needs;
  const { facts, plan } = accepted;
  const waited = entry !== undefined && isIn(entry.row, 'queued') && entry.row.fate.limited !== undefined;
  // What it waited for a daily limit is no part of the time in which it is tried.
  const since = countedAt ?? (waited ? clock.now().toISOString() : undefined);
  const going = { ...divertedBy(accepted.handling), ...seenOf(needs, accepted), countedAt: since };
  const how = [clock.now(), plan.kind, going] as const;
  if (entry !== undefined) return ledger.replace(claim(entry.row, ...how), entry.etag);
  return rejected === undefined
    ? ledger.create(claimNew(facts, true, ...how))
    : ledger.replace(claimAfresh(rejected.row, ...how), rejected.etag);
};

/** An email that nobody can read, as far as its look-up needs it. */
const verified = ({ leavesCopy }: MailFacts) =>
  ({ onUnknown: 'verify', saveToSentItems: leavesCopy }) as const;

/** Concludes an attempt that began and whose end nobody wrote down. */
const concludeLost = async (
  needs: Needs,
  envelope: Envelope,
  entry: LedgerEntry<InState<'sending'>>,
): Promise<Turn> => {
  const read = await readMailOf(needs, envelope, asAccepted(entry.row, envelope));
  const { original } = read;
  const outcome = decideLost(entry.row.progress);
  if ('refused' in read && outcome.kind !== 'unknown') {
    const order = { why: 'refused', reason: read.refused, original } as const;
    return (await hold(needs, entry, order)) === undefined ? 'beaten' : 'done';
  }
  await concludeAttempt(needs, {
    ...entry,
    outcome,
    // What that attempt may have sent is looked for first, which needs no content; only what was not sent can be refused.
    mail: 'refused' in read ? verified(entry.row.facts) : read.accepted.mail,
    envelope,
    readOriginal: async () => original,
    callerWaits: false,
    foundUnfinished: true,
  });
  return 'done';
};
