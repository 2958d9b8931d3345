import type { InState, RecipientDelivery } from '../ledger/ledger-row.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Exchange lists an email 5 to 15 minutes after it was sent; a trace before this time is wasted. */
const FIRST_MS = 2 * MINUTE_MS;
const AGAIN_MS = 5 * MINUTE_MS;
/** Only then is an email that is not listed called missing. */
const MISSING_MS = 30 * MINUTE_MS;
/** What seldom changes: an administrator releases from quarantine, or the trace lists an email very late. */
const SELDOM_MS = HOUR_MS;
/** A server that took the email tries for four to five days before it reports that it could not deliver it (RFC 5321, 4.5.4.1). */
const LATE_REPORT_MS = 5 * DAY_MS;
/** Exchange keeps traces so long. */
const KEPT_MS = 90 * DAY_MS;

/** When the attempt that succeeded began, and from when on the email may have been sent. */
export type SentTimes = { readonly from: Date; readonly sentAt: Date };

/** Between which times the email was sent. Of one that was found in the mailbox, nobody knows by which attempt. */
export const sentTimesOf = ({ facts, progress, fate }: InState<'sent'>): SentTimes => {
  const { attempts, updatedAt } = progress;
  const begun = fate.verified ? attempts[0]?.at : attempts.at(-1)?.at;
  const from = new Date(begun ?? facts.acceptedAt);
  const sentAt = new Date(updatedAt);
  return { from: from < sentAt ? from : sentAt, sentAt };
};

export type TraceWindow = { readonly from: Date; readonly to: Date; readonly isWide: boolean };

/** Where Exchange can have received the email: near the time it was sent, or, if it was not found there, within a day. */
export const traceWindowOf = (row: InState<'sent'>, now: Date): TraceWindow => {
  const { from, sentAt } = sentTimesOf(row);
  const isWide =
    row.fate.tracedAt !== undefined &&
    (row.fate.deliveries ?? []).length === 0 &&
    now.getTime() - sentAt.getTime() > MISSING_MS;
  const [before, after] = isWide ? [HOUR_MS, DAY_MS] : [5 * MINUTE_MS, 30 * MINUTE_MS];
  return {
    from: new Date(from.getTime() - before),
    // `to` must not be later than now, and Exchange reads clocks of its own.
    to: new Date(Math.min(sentAt.getTime() + after, now.getTime() - 1000)),
    isWide,
  };
};

/** Whether Exchange keeps no trace of the email any more. */
export const isTooOldToTrace = (row: InState<'sent'>, now: Date): boolean =>
  now.getTime() - traceWindowOf(row, now).from.getTime() > KEPT_MS - HOUR_MS;

/** Whether an email that the trace does not list should be there by now. */
export const isOverdueInTrace = (row: InState<'sent'>, now: Date): boolean =>
  now.getTime() - sentTimesOf(row).sentAt.getTime() >= MISSING_MS;

/** Nothing more of it is expected of the trace. Of a failure, the code may not have been asked for yet. */
const isSettled = (delivery: RecipientDelivery | undefined): boolean => {
  if (delivery === undefined || delivery.status === 'pending' || delivery.status === 'quarantined')
    return false;
  return delivery.status !== 'failed' || delivery.code !== undefined || delivery.source === 'report';
};

/** The hashes of its recipients, each once; of a row that does not have them, those of whom something is known. */
export const recipientsOf = ({ facts, fate }: InState<'sent'>): readonly string[] => [
  ...new Set(facts.recipientHashes ?? (fate.deliveries ?? []).map(({ recipient }) => recipient)),
];

/** From when on the trace can say something that it did not say before; undefined where it said all. */
export const traceDueAt = (row: InState<'sent'>): Date | undefined => {
  const recipients = recipientsOf(row);
  const { tracedAt, deliveries = [] } = row.fate;
  const { sentAt } = sentTimesOf(row);
  if (tracedAt === undefined) return new Date(sentAt.getTime() + FIRST_MS);
  const known = new Map(deliveries.map((one) => [one.recipient, one]));
  const open = recipients.filter((one) => !isSettled(known.get(one)));
  if (open.length === 0 && recipients.length > 0) return undefined;
  const asked = Date.parse(tracedAt);
  const isMoving =
    asked - sentAt.getTime() < MISSING_MS || open.some((one) => known.get(one)?.status === 'pending');
  return new Date(asked + (isMoving ? AGAIN_MS : SELDOM_MS));
};

/** Until when what is known of the email can still change by itself. */
export const mayChangeUntil = (row: InState<'sent'>): Date =>
  new Date(sentTimesOf(row).sentAt.getTime() + LATE_REPORT_MS);
