import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import { decideDelivery } from '../ledger/delivery-decision.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import {
  claim,
  claimNew,
  type DeferredRow,
  type QueuedRow,
  queueNew,
  type SendingRow,
  type UnknownRow,
} from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import {
  type AcceptableMail,
  type AcceptNeeds,
  type Origin,
  type Refused,
  sketchFacts,
  tryToAccept,
  unreadable,
} from './accept-mail.ts';
import {
  type Arrival,
  type ArriveNeeds,
  arrive,
  bareIdOf,
  idBesideOther,
  isOther,
  type MessageFacts,
  QUEUE_CALLER,
  readContent,
} from './arrived-message.ts';
import { type ConcludeNeeds, concludeAttempt, deletePayload } from './conclude-attempt.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { type LookUpNeeds, lookUpMail } from './look-up-mail.ts';
import { attemptInLane, enterLane, leaveLane, type PaceNeeds } from './pace-mail.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

/** What it takes to send. */
export type SendingNeeds = AcceptNeeds &
  PaceNeeds &
  ConcludeNeeds &
  LookUpNeeds & {
    readonly sendingLimitMs: number;
    /** How long the ledger remembers a mail. */
    readonly ledgerDays: number;
  };

/** Moving messages needs storage alone; sending may be blocked: switched off, or settings are wrong. */
export type DeliverMailNeeds = QueueMailNeeds &
  HoldNeeds &
  ArriveNeeds & {
    readonly sending: SendingNeeds | { readonly blocked: ErrorCode };
    /** Stored content that is still needed, although the ledger may not know of its email yet. */
    readonly keepPayload: (mailId: string, contentHash: string) => Promise<void>;
  };

type Needs = SendingNeeds & ArriveNeeds;

export type DeliveryFacts = MessageFacts & {
  /** The host has given this message before, and that ended in a failure or a crash. */
  readonly redelivered: boolean;
};

/** While sending is switched off a mail looks again this often. */
const BLOCKED_WAIT_MS = 120_000;
const DAY_MS = 86_400_000;
const OLDER_THAN_LEDGER =
  'It was accepted longer ago than MAIL_LEDGER_DAYS, so it may have been sent before.';
/** How long a mail waits when storage fails it. */
const STORAGE_WAIT_MS = 60_000;
/** Losing a race more often than this is no race but a fault; the host then delivers the message again. */
const MAX_RACES = 4;

/**
 * Delivers one queue message: sends its mail, or looks whether it was sent, or lets it wait on the queue, or holds it
 * with its reasons. Returns when the message may be deleted; throws only where storage takes no message either, so that
 * the host delivers this one again.
 */
export const deliverMail = async (needs: DeliverMailNeeds, facts: DeliveryFacts): Promise<void> => {
  let arrival: Arrival | undefined;
  try {
    arrival = await arriveOrHold(needs, facts);
    if (arrival !== undefined) await deliverArrived(needs, facts, arrival);
  } catch (failure) {
    await waitForStorage(needs, { facts, envelope: arrival?.envelope }, failure);
  }
};

/** Undefined when the message is no mail, and is held with the reason. */
const arriveOrHold = async (needs: DeliverMailNeeds, facts: DeliveryFacts): Promise<Arrival | undefined> => {
  try {
    return await arrive(needs, facts);
  } catch (reason) {
    if (!(reason instanceof AppError) || reason.code === 'STORAGE_UNAVAILABLE') throw reason;
    const mailId = bareIdOf(await needs.readIdentity(), facts);
    const newMail = unreadable({ mailId, caller: QUEUE_CALLER, acceptedAt: facts.insertedAt });
    await hold(needs, { newMail }, facts.text, reason);
    return undefined;
  }
};

const deliverArrived = async (
  needs: DeliverMailNeeds,
  { redelivered }: DeliveryFacts,
  arrival: Arrival,
): Promise<void> => {
  const { envelope, isKnownByMessage } = arrival;
  if ('blocked' in needs.sending) {
    if (envelope.content === 'stored') await needs.keepPayload(envelope.mailId, envelope.contentHash);
    await queueMail(needs, envelope, BLOCKED_WAIT_MS);
    return needs.log({ event: 'SendBlocked', mailId: envelope.mailId, code: needs.sending.blocked });
  }
  // On the poison queue a bare message would have another id, and be another mail: an envelope keeps the one it has.
  if (redelivered && isKnownByMessage) return queueMail(needs, envelope, 0);
  await deliver({ ...needs, ...needs.sending }, arrival);
};

/**
 * Storage refuses something that the mail needs, but may still take a message: then the mail waits on the queue. Were the
 * message left to the host, a few minutes without the table would use up its five attempts, and it would end as one the
 * host gave up on. What could not even be read is put back as it is, unless an earlier delivery may have claimed it under
 * the id of its message.
 */
const waitForStorage = async (
  needs: DeliverMailNeeds,
  { facts, envelope }: { readonly facts: DeliveryFacts; readonly envelope: Envelope | undefined },
  failure: unknown,
): Promise<void> => {
  if (!(failure instanceof AppError) || failure.code !== 'STORAGE_UNAVAILABLE') throw failure;
  if (envelope !== undefined) await queueMail(needs, envelope, STORAGE_WAIT_MS);
  else if (facts.redelivered) throw failure;
  else await needs.putMessage(facts.text, STORAGE_WAIT_MS);
  needs.log({ event: 'StorageAwaited', code: failure.code });
};

/** `beaten` when somebody else changed the row first, so that the decision has to be made again. */
type Step = 'done' | 'beaten';

const deliver = async (needs: Needs, arrival: Arrival): Promise<void> => {
  const { envelope, bareId } = arrival;
  // A bare message is nearly always new: its claim is tried before anything is read.
  let entry = bareId === undefined ? await needs.ledger.find(envelope.mailId) : undefined;
  for (let race = 0; race < MAX_RACES; race += 1) {
    if ((await deliverOnce(needs, arrival, entry)) === 'done') return;
    entry = await needs.ledger.find(envelope.mailId);
  }
  throw new Error('the ledger row changed again and again while its message was delivered');
};

const deliverOnce = async (needs: Needs, arrival: Arrival, entry: LedgerEntry | undefined): Promise<Step> => {
  const { envelope } = arrival;
  const { mailId } = envelope;
  const etag = entry?.etag ?? '';
  if (entry !== undefined && isOther(arrival, entry.row)) return holdOther(needs, arrival);
  const decision = decideDelivery(entry?.row, envelope, needs.now(), needs.sendingLimitMs);
  switch (decision.kind) {
    case 'drop':
      if (decision.done) await deletePayload(needs, envelope);
      needs.log({ event: 'MailRepeated', mailId, state: entry?.row.state ?? '' });
      return 'done';
    case 'later':
      await queueMail(needs, envelope, decision.waitMs);
      return 'done';
    case 'first':
      return send(needs, arrival);
    case 'send':
      return send(needs, arrival, { row: decision.row, etag, isHeld: entry?.row.state === 'held' });
    case 'look-up': {
      const known = { row: decision.row, etag };
      const looked = await lookUpMail(needs, known, envelope, () => readContent(needs, envelope));
      return looked === 'send again' ? send(needs, arrival, known) : looked;
    }
    case 'lost':
      return concludeLost(needs, envelope, { row: decision.row, etag });
  }
};

/** Holds a mail whose key belongs to another; dropped as a copy of that one, it would be lost. */
const holdOther = async (needs: Needs, arrival: Arrival): Promise<Step> => {
  const identity = await needs.readIdentity();
  const original = await readContent(needs, arrival.envelope);
  const origin = { ...arrival.envelope, mailId: idBesideOther(identity, arrival) };
  const newMail = sketchFacts(needs, identity, origin, original);
  await hold(needs, { newMail }, original, new AppError('IDEMPOTENCY_KEY_REUSED'));
  return 'done';
};

type Sendable = {
  readonly row: QueuedRow | DeferredRow | UnknownRow;
  readonly etag: string;
  /** It was held before this message came. */
  readonly isHeld?: boolean;
};

const send = async (needs: Needs, { envelope, bareId }: Arrival, entry?: Sendable): Promise<Step> => {
  const read = await readMailOf(needs, envelope);
  if ('refused' in read) {
    // The record it has is better than an empty one.
    if (entry?.isHeld && read.original === undefined) return 'done';
    const mailId = bareId ?? envelope.mailId;
    const subject = entry ?? { newMail: { ...read.facts, mailId } };
    const isHeld = (await hold(needs, subject, read.original, read.refused)) !== undefined;
    // Where nothing but this message has the id, the row that is there is of this message, held before.
    if (!isHeld) return mailId === bareId ? 'done' : 'beaten';
    await deletePayload(needs, envelope);
    return 'done';
  }
  const { accepted, original } = read;
  const pace = await enterLane(needs, accepted.plan, envelope);
  if (pace.kind !== 'go') {
    // Into the ledger first, so that its state can be asked for while it waits.
    if (entry === undefined && !(await needs.ledger.create(queueNew(accepted.facts, needs.now()))))
      return 'beaten';
    // Where no time could be kept for it, it asks again as any other.
    const { dueAt: _told, ...unbooked } = envelope;
    const booked = { ...unbooked, dueAt: new Date(needs.now().getTime() + pace.waitMs) };
    await queueMail(needs, pace.kind === 'wait' ? booked : unbooked, pace.waitMs);
    needs.log({ event: 'MailPaced', mailId: envelope.mailId, waitMs: pace.waitMs });
    return 'done';
  }
  const claimed = await claimFor(needs, accepted, entry).catch((error: unknown) => {
    leaveLane(needs, accepted.plan);
    throw error;
  });
  if (claimed === undefined) {
    leaveLane(needs, accepted.plan);
    return 'beaten';
  }
  const outcome = await attemptInLane(needs, accepted.plan);
  await concludeAttempt(needs, {
    ...claimed,
    outcome,
    mail: accepted.mail,
    envelope,
    original,
    callerWaits: false,
  });
  return 'done';
};

const claimFor = async (needs: Needs, accepted: AcceptableMail, entry: Sendable | undefined) => {
  const row: SendingRow =
    entry === undefined ? claimNew(accepted.facts, true, needs.now()) : claim(entry.row, needs.now());
  const written =
    entry === undefined ? await needs.ledger.create(row) : await needs.ledger.replace(row, entry.etag);
  return written === undefined ? undefined : { row, etag: written.etag };
};

/** An attempt that began and whose end nobody wrote down ends as unknown. */
const concludeLost = async (
  needs: Needs,
  envelope: Envelope,
  entry: { readonly row: SendingRow; readonly etag: string },
): Promise<Step> => {
  const read = await readMailOf(needs, envelope);
  if ('refused' in read)
    return (await hold(needs, entry, read.original, read.refused)) === undefined ? 'beaten' : 'done';
  await concludeAttempt(needs, {
    ...entry,
    outcome: { kind: 'unknown', code: 'OUTCOME_UNKNOWN' },
    mail: read.accepted.mail,
    envelope,
    original: read.original,
    callerWaits: false,
    foundUnfinished: true,
  });
  return 'done';
};

const readMailOf = async (
  needs: Needs,
  envelope: Envelope,
): Promise<{ readonly accepted: AcceptableMail; readonly original: unknown } | RefusedMail> => {
  const original = await readContent(needs, envelope);
  const origin: Origin = envelope;
  if (needs.now().getTime() - envelope.acceptedAt.getTime() > needs.ledgerDays * DAY_MS) {
    // The ledger may have known it and forgotten it: then this is a copy of a mail that was sent.
    const facts = sketchFacts(needs, await needs.readIdentity(), origin, original);
    return { refused: new AppError('GIVEN_UP', { detail: OLDER_THAN_LEDGER }), facts, original };
  }
  if (original === undefined)
    return { refused: new AppError('PAYLOAD_MISSING'), facts: unreadable(origin), original };
  const accepted = tryToAccept(needs, await needs.readIdentity(), origin, original);
  return 'refused' in accepted ? { ...accepted, original } : { accepted, original };
};

type RefusedMail = Refused & { readonly original: unknown };
