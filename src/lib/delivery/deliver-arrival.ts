import { AppError } from '../errors.ts';
import { type Arrival, asOf } from '../ledger/arrived-message.ts';
import { decideDelivery } from '../ledger/delivery-decision.ts';
import type { InState, MailFacts } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { claim, claimNew, queueNew } from '../ledger/transitions.ts';
import type { LedgerEntry } from '../ports.ts';
import { decideLost } from '../sending/draft-stage.ts';
import { type AcceptableMail, sketchFacts } from './accept-mail.ts';
import { type CaptureNeeds, captureMail } from './capture-mail.ts';
import { type ConcludeNeeds, concludeAttempt } from './conclude-attempt.ts';
import { hold } from './hold.ts';
import { type LaneNeeds, sendInLane } from './in-lane.ts';
import { lookUpMail } from './look-up-mail.ts';
import { deletePayload, queueMail } from './queue-mail.ts';
import { readContent } from './read-content.ts';
import { type ReadMailNeeds, readMailOf } from './read-mail-of.ts';
import { scheduleMail, waitUntilDue } from './schedule-mail.ts';

export type DeliverArrivalNeeds = ConcludeNeeds & LaneNeeds & ReadMailNeeds & CaptureNeeds;

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
      needs.log({ event: 'MailRepeated', mailId: envelope.mailId, state: row.fate.state });
      return 'done';
    case 'later':
      await queueMail(needs, envelope, decision.waitMs);
      return 'done';
    case 'send':
      // Its content need not be read for that.
      if (waitUntilDue(row.facts.sendAt, needs.clock.now()) > 0) return wait(needs, envelope, row.facts);
      return send(needs, arrival, { row: decision.row, etag, wasHeld: row.fate.state === 'held' });
    case 'look-up': {
      const unknown = { row: decision.row, etag };
      const readOriginal = () => readContent(needs, envelope);
      const looked = await lookUpMail(needs, { ...unknown, envelope, readOriginal });
      return looked === 'send now' ? send(needs, arrival, { ...unknown, wasHeld: false }) : looked;
    }
    case 'lost':
      return concludeLost(needs, envelope, { row: decision.row, etag });
  }
};

/** Holds an email whose key belongs to another; dropped as a copy of that one, it would be lost. */
const holdStray = async (needs: Needs, { envelope, strayId }: Arrival): Promise<Turn> => {
  const original = await readContent(needs, envelope);
  const origin = { ...envelope, mailId: strayId };
  const facts = sketchFacts(needs.accept, await needs.readIdentity(), origin, original);
  const reason = new AppError('IDEMPOTENCY_KEY_REUSED');
  await hold(needs, { facts }, { why: 'refused', reason, original });
  return 'done';
};

type Sendable = LedgerEntry<InState<'queued' | 'deferred' | 'unknown'>> & {
  /** It was held before this message came. */
  readonly wasHeld: boolean;
};

const send = async (needs: Needs, arrival: Arrival, entry?: Sendable): Promise<Turn> => {
  const { envelope, isBare, refusedId } = arrival;
  const read = await readMailOf(needs, envelope, isBare ? 'queue' : undefined);
  if ('refused' in read) {
    const { refused: reason, facts, original } = read;
    // The record it has is better than an empty one.
    if (entry?.wasHeld && original === undefined) return 'done';
    const subject = entry ?? { facts: { ...facts, mailId: refusedId } };
    // Of a draft that was submitted nobody has seen yet whether it was sent.
    const why = entry?.row.progress.draft?.isSubmitted ? 'doubt' : 'refused';
    const held = await hold(needs, subject, { why, reason, original });
    // Where nothing but this message has the id, the row that is there is of this message, held before.
    if (held === undefined) return entry === undefined && isBare ? 'done' : 'beaten';
    await deletePayload(needs, envelope);
    return 'done';
  }
  const { accepted, original } = read;
  if (waitUntilDue(accepted.facts.sendAt, needs.clock.now()) > 0) {
    const queued = queueNew(accepted.facts, needs.clock.now());
    if (entry === undefined && (await needs.ledger.create(queued)) === undefined) return 'beaten';
    return wait(needs, envelope, accepted.facts);
  }
  if (accepted.handling.kind === 'capture') return capture(needs, arrival, read, entry);
  const result = await sendInLane(needs, accepted.plan, { ...envelope, givesWay: true }, () =>
    claimFor(needs, accepted, entry),
  );
  switch (result.kind) {
    case 'beaten':
      return 'beaten';
    case 'ended':
      await concludeAttempt(needs, {
        ...result,
        mail: accepted.mail,
        envelope,
        readOriginal: async () => original,
        callerWaits: false,
      });
      return 'done';
    default: {
      // Into the ledger first, so that its state can be asked for while it waits.
      const now = needs.clock.now();
      if (entry === undefined && !(await needs.ledger.create(queueNew(accepted.facts, now)))) return 'beaten';
      // Where no time could be kept for it, it asks again as any other.
      const { dueAt: _told, ...unbooked } = envelope;
      const booked = { ...unbooked, dueAt: new Date(now.getTime() + result.waitMs) };
      await queueMail(needs, result.kind === 'wait' ? booked : unbooked, result.waitMs);
      needs.log({ event: 'MailPaced', mailId: envelope.mailId, waitMs: result.waitMs });
      return 'done';
    }
  }
};

/** Keeps an email that would be sent now, unless it may have been sent before and nobody has looked since. */
const capture = async (
  needs: Needs,
  { envelope }: Arrival,
  { accepted, original }: { readonly accepted: AcceptableMail; readonly original: unknown },
  entry: Sendable | undefined,
): Promise<Turn> => {
  if (entry !== undefined && mayBeSent(entry.row)) {
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
const mayBeSent = ({ fate, progress }: Sendable['row']): boolean =>
  fate.state === 'deferred' &&
  (progress.resent ||
    progress.draft?.isSubmitted === true ||
    progress.attempts.at(-1)?.outcome === 'unknown');

const wait = async (
  needs: Needs,
  envelope: Envelope,
  { sendAt }: Pick<MailFacts, 'sendAt'>,
): Promise<Turn> => {
  if (sendAt !== undefined) await scheduleMail(needs, envelope, sendAt);
  return 'done';
};

const claimFor = (
  { ledger, clock }: Needs,
  { facts, plan }: AcceptableMail,
  entry: Sendable | undefined,
): Promise<LedgerEntry<InState<'sending'>> | undefined> =>
  entry === undefined
    ? ledger.create(claimNew(facts, true, clock.now(), plan.kind))
    : ledger.replace(claim(entry.row, clock.now(), plan.kind), entry.etag);

/** An email that nobody can read, as far as its look-up needs it. */
const verified = ({ leavesCopy }: MailFacts) =>
  ({ onUnknown: 'verify', saveToSentItems: leavesCopy }) as const;

/** Concludes an attempt that began and whose end nobody wrote down. */
const concludeLost = async (
  needs: Needs,
  envelope: Envelope,
  entry: LedgerEntry<InState<'sending'>>,
): Promise<Turn> => {
  const read = await readMailOf(needs, envelope);
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
