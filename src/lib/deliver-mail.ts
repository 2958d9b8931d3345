import {
  type AcceptableMail,
  type AcceptNeeds,
  type Origin,
  tryToAccept,
  unacceptable,
} from './accept-mail.ts';
import { type MessageFacts, QUEUE_CALLER, toEnvelope } from './arrived-message.ts';
import { type ConcludeNeeds, concludeAttempt, deletePayload } from './conclude-attempt.ts';
import type { ErrorCode } from './error-catalogue.ts';
import { AppError } from './errors.ts';
import { decideDelivery } from './ledger/delivery-decision.ts';
import { hashBody, mailIdOfQueueMessage } from './ledger/idempotency.ts';
import type { LedgerEntry } from './ledger/ledger.ts';
import {
  claim,
  claimNew,
  type LedgerRow,
  type QueuedRow,
  queueNew,
  type SendingRow,
  type UnknownRow,
  type WaitingRow,
} from './ledger/ledger-row.ts';
import { type LookUpNeeds, lookUpMail } from './look-up-mail.ts';
import { type Envelope, readQueueMessage } from './mail/queue-message.ts';
import { parseJson } from './mail/read-mail.ts';
import { attemptInLane, enterLane, leaveLane, type PaceNeeds } from './pace-mail.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';
import { type SetAsideNeeds, setAside } from './set-aside.ts';

/** What it takes to send. */
export type SendingNeeds = AcceptNeeds &
  PaceNeeds &
  ConcludeNeeds &
  LookUpNeeds & { readonly sendingLimitMs: number };

/** Moving messages needs storage alone; sending may be blocked: switched off, or settings are wrong. */
export type DeliverMailNeeds = QueueMailNeeds &
  SetAsideNeeds & {
    readonly sending: SendingNeeds | { readonly blocked: ErrorCode };
    /** Gives the stored JSON of a mail, or undefined when it is gone. */
    readonly readPayload: (name: string) => Promise<string | undefined>;
  };

type Needs = SendingNeeds & Pick<DeliverMailNeeds, 'readPayload'>;

export type DeliveryFacts = MessageFacts & {
  /** The host has given this message before, and that ended in a failure or a crash. */
  readonly redelivered: boolean;
};

/** While sending is switched off a mail looks again this often. */
const BLOCKED_WAIT_MS = 120_000;
/** Losing a race more often than this is no race but a fault; the host then delivers the message again. */
const MAX_RACES = 4;

/**
 * Delivers one queue message: sends its mail, or looks whether it was sent, or lets it wait on the queue, or sets it
 * aside with its reasons. Returns when the message may be deleted; throws only where storage fails, so that the
 * host delivers it again.
 */
export const deliverMail = async (
  needs: DeliverMailNeeds,
  message: unknown,
  facts: DeliveryFacts,
): Promise<void> => {
  let envelope: Envelope;
  let bare: boolean;
  try {
    const read = readQueueMessage(message);
    bare = read.kind === 'bare';
    envelope = toEnvelope(read, facts);
  } catch (reason) {
    if (!(reason instanceof AppError)) throw reason;
    const origin = { mailId: facts.mailIdOfMessage, caller: QUEUE_CALLER, acceptedAt: facts.insertedAt };
    await setAside(needs, { newMail: unacceptable(origin) }, message, reason);
    return;
  }
  if ('blocked' in needs.sending) {
    await queueMail(needs, envelope, BLOCKED_WAIT_MS);
    return needs.log({ event: 'SendBlocked', mailId: envelope.mailId, code: needs.sending.blocked });
  }
  // On the poison queue a bare message would have another id, and be another mail: an envelope keeps the one it has.
  if (bare && facts.redelivered && envelope.mailId === facts.mailIdOfMessage)
    return queueMail(needs, envelope, 0);
  const context = { ...needs.sending, readPayload: needs.readPayload };
  await deliver(context, { envelope, ...(bare ? { bareId: facts.mailIdOfMessage } : {}) });
};

/** A message as it is delivered. */
type Delivery = {
  readonly envelope: Envelope;
  /**
   * Of a bare message, the id it has without its idempotency key. Under it stands what may not have the key: a mail
   * that is not acceptable, so that its correction may use the key; and another mail with a key that is taken.
   */
  readonly bareId?: string;
};

/** `beaten` when somebody else changed the row first, so that the decision has to be made again. */
type Step = 'done' | 'beaten';

const deliver = async (needs: Needs, delivery: Delivery): Promise<void> => {
  const { envelope, bareId } = delivery;
  // A bare message is nearly always new: its claim is tried before anything is read.
  let entry = bareId === undefined ? await needs.ledger.find(envelope.mailId) : undefined;
  for (let race = 0; race < MAX_RACES; race += 1) {
    if ((await deliverOnce(needs, delivery, entry)) === 'done') return;
    entry = await needs.ledger.find(envelope.mailId);
  }
  throw new Error('the ledger row changed again and again while its message was delivered');
};

const deliverOnce = async (
  needs: Needs,
  delivery: Delivery,
  entry: LedgerEntry | undefined,
): Promise<Step> => {
  const { envelope } = delivery;
  const { mailId } = envelope;
  const etag = entry?.etag ?? '';
  if (entry !== undefined && (await setAsideOther(needs, delivery, entry.row))) return 'done';
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
      return send(needs, delivery);
    case 'send':
      return send(needs, delivery, { row: decision.row, etag, isAside: entry?.row.state === 'set-aside' });
    case 'look-up': {
      const known = { row: decision.row, etag };
      const looked = await lookUpMail(needs, known, envelope, () => readContent(needs, envelope));
      return looked === 'send again' ? send(needs, delivery, known) : looked;
    }
    case 'lost':
      return concludeLost(needs, envelope, { row: decision.row, etag });
  }
};

/**
 * Sets a mail aside whose key belongs to another mail; dropped as a copy of that one, it would be lost. Only a first
 * message can be such: later ones are written from the row.
 */
const setAsideOther = async (
  needs: Needs,
  { envelope, bareId }: Delivery,
  row: LedgerRow,
): Promise<boolean> => {
  if (envelope.turn > 0) return false;
  const mail = await readContent(needs, envelope);
  if (typeof mail !== 'object' || mail === null) return false;
  const hash = hashBody(mail);
  // A row without a hash is of this very message, found unacceptable before.
  if (row.bodyHash === hash || (bareId === undefined && row.bodyHash === '')) return false;
  const newMail = unacceptable({
    ...envelope,
    mailId: bareId ?? mailIdOfQueueMessage(`${envelope.mailId} ${hash}`),
  });
  await setAside(needs, { newMail }, mail, new AppError('IDEMPOTENCY_KEY_REUSED'));
  return true;
};

type Sendable = {
  readonly row: QueuedRow | WaitingRow | UnknownRow;
  readonly etag: string;
  /** It was set aside before this message came. */
  readonly isAside?: boolean;
};

const send = async (needs: Needs, { envelope, bareId }: Delivery, entry?: Sendable): Promise<Step> => {
  const read = await readMailOf(needs, envelope);
  if ('refused' in read) {
    // The record it has is better than an empty one.
    if (entry?.isAside && read.original === undefined) return 'done';
    const mailId = bareId ?? envelope.mailId;
    const subject = entry ?? { newMail: unacceptable({ ...envelope, mailId }) };
    await setAside(needs, subject, read.original, read.refused);
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
  if ('refused' in read) {
    await setAside(needs, entry, read.original, read.refused);
    return 'done';
  }
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

const readContent = async (needs: Needs, { content }: Envelope): Promise<unknown> => {
  if ('mail' in content) return content.mail;
  const json = await needs.readPayload(content.payload);
  return json === undefined ? undefined : parseJson(json);
};

const readMailOf = async (
  needs: Needs,
  envelope: Envelope,
): Promise<
  | { readonly accepted: AcceptableMail; readonly original: unknown }
  | { readonly refused: AppError; readonly original: unknown }
> => {
  const original = await readContent(needs, envelope);
  if (original === undefined) return { refused: new AppError('PAYLOAD_MISSING'), original };
  const origin: Origin = envelope;
  const accepted = tryToAccept(needs, origin, original);
  return accepted instanceof AppError ? { refused: accepted, original } : { accepted, original };
};
