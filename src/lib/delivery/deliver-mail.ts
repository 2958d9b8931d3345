import type { ErrorCode } from '../error-catalogue.ts';
import { type Arrival, factsOfUnreadable, type MessageFacts } from '../ledger/arrived-message.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { Ports } from '../ports.ts';
import { MAX_REQUEST_BYTES } from '../sending/send-plan.ts';
import type { Admission } from './admission.ts';
import { type ArriveNeeds, arrive, type Unreadable } from './arrive.ts';
import { type DeliverArrivalNeeds, deliverArrival } from './deliver-arrival.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';
import { isStorageFailure, STORAGE_WAIT_MS } from './storage-failure.ts';

/** Moving messages needs storage alone; sending may be blocked: switched off, or settings are wrong. */
export type DeliverMailNeeds = QueueMailNeeds &
  HoldNeeds &
  ArriveNeeds &
  Pick<Ports, 'arrivalQueue'> & {
    readonly sending: DeliverArrivalNeeds | { readonly blocked: ErrorCode };
    readonly admission: Admission;
  };

export type DeliveryFacts = MessageFacts & {
  /** The host has given this message before, and that ended in a failure or a crash. */
  readonly redelivered: boolean;
};

/** How long an email waits for memory inside its invocation, and then on the queue. */
const ROOM_PATIENCE_MS = 30_000;
const NO_ROOM_NEEDED = { close: () => undefined };

/** While sending is switched off an email looks again this often. */
const BLOCKED_WAIT_MS = 120_000;

/**
 * Delivers one queue message: sends its email, or looks whether it was sent, or lets it wait on the queue, or holds it
 * with its reasons. Returns when the message may be deleted; throws only where storage takes no message either, so that
 * the host delivers this one again.
 */
export const deliverMail = async (needs: DeliverMailNeeds, facts: DeliveryFacts): Promise<void> => {
  let arrival: Arrival | undefined;
  try {
    const arrived = await arrive(needs, facts);
    if (arrived.kind === 'unreadable') return await holdUnreadable(needs, arrived, facts);
    arrival = arrived.arrival;
    await deliverArrived(needs, facts, arrival);
  } catch (failure) {
    if (!isStorageFailure(failure)) throw failure;
    await waitForStorage(needs, facts, arrival?.envelope, failure);
  }
};

/** Holds what is no email, as it came. */
export const holdUnreadable = async (
  needs: HoldNeeds,
  { mailId, reason }: Unreadable,
  { text, insertedAt, caller }: MessageFacts,
): Promise<void> => {
  const facts = factsOfUnreadable({ mailId, caller, acceptedAt: insertedAt });
  await hold(needs, { facts }, { why: 'refused', reason, original: text });
};

const deliverArrived = async (
  needs: DeliverMailNeeds,
  { redelivered }: DeliveryFacts,
  arrival: Arrival,
): Promise<void> => {
  const { envelope, isKnownByMessage } = arrival;
  if ('blocked' in needs.sending) {
    const { mailId, contentHash, content } = envelope;
    if (content === 'stored') await needs.payloads.keep(mailId, contentHash);
    await queueMail(needs, envelope, BLOCKED_WAIT_MS);
    return needs.log({ event: 'SendBlocked', mailId, code: needs.sending.blocked });
  }
  // On the poison queue a bare message would have another id, and be another email: an envelope keeps the one it has.
  if (redelivered && isKnownByMessage) return queueMail(needs, envelope, 0);
  const bytes = await contentBytes(needs, envelope);
  const room =
    bytes === 0
      ? NO_ROOM_NEEDED
      : await needs.admission.enter(bytes, () => needs.clock.sleep(ROOM_PATIENCE_MS));
  // An invocation that waited for longer would be ended by the host, and with it everything in flight.
  if (room === undefined) return queueMail(needs, envelope, ROOM_PATIENCE_MS);
  try {
    await deliverArrival(needs.sending, arrival);
  } finally {
    room.close();
  }
};

/** What an email will hold beside its message, which is small: its stored content, and files that it names. */
const contentBytes = async (
  { payloads }: DeliverMailNeeds,
  { mailId, contentHash, content }: Envelope,
): Promise<number> => {
  // Files are read for one request to Graph, or part by part; content that is gone takes no room.
  if (content !== 'stored') return namesBlobs(content.mail) ? MAX_REQUEST_BYTES : 0;
  return Math.max((await payloads.sizeOf(mailId, contentHash)) ?? 0, MAX_REQUEST_BYTES);
};

const namesBlobs = (mail: unknown): boolean => {
  const { attachments, mime } = (mail ?? {}) as { readonly attachments?: unknown; readonly mime?: unknown };
  return (
    (mime as { blob?: unknown } | null | undefined)?.blob != null ||
    (Array.isArray(attachments) &&
      attachments.some((file) => (file as { blob?: unknown } | null)?.blob != null))
  );
};

/**
 * Storage refuses something that the email needs, but may still take a message: then the email waits on the queue. Were
 * the message left to the host, a few minutes without the table would use up its five attempts, and it would end as one
 * the host gave up on. What could not even be read is put back as it is where it came from, which alone says whose it is,
 * unless an earlier delivery may have claimed it under the id of its message.
 */
const waitForStorage = async (
  needs: DeliverMailNeeds,
  { text, redelivered }: DeliveryFacts,
  envelope: Envelope | undefined,
  failure: { readonly code: ErrorCode },
): Promise<void> => {
  if (envelope !== undefined) await queueMail(needs, envelope, STORAGE_WAIT_MS);
  else if (redelivered) throw failure;
  else await needs.arrivalQueue.put(text, STORAGE_WAIT_MS);
  needs.log({ event: 'StorageAwaited', code: failure.code });
};
