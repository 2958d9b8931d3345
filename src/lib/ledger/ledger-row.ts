import type { ErrorReport } from '../errors.ts';

/** One attempt to send, as the ledger remembers it. */
export type Attempt = {
  readonly at: string;
  readonly outcome: 'accepted' | 'rejected' | 'not-sent' | 'unknown';
  readonly code?: string;
  readonly upstreamCode?: string;
  readonly graphRequestId?: string;
};

/** What the ledger knows of every mail, whatever became of it. Never its subject, body or attachments. */
export type MailFacts = {
  readonly mailId: string;
  readonly caller: string;
  readonly sender: string;
  readonly recipients: number;
  /** Only where MAIL_LEDGER_RECIPIENTS is true. */
  readonly recipientAddresses?: readonly string[];
  readonly tags: readonly string[];
  /** Of the idempotency key, where there is one. */
  readonly keyHash?: string;
  readonly bodyHash: string;
  /** Whether it is kept in Sent Items; else that it is not there says nothing. */
  readonly leavesCopy: boolean;
  readonly acceptedAt: string;
  /** When somebody had it sent again; the time it may be tried begins anew then. */
  readonly replayedAt?: string;
  readonly updatedAt: string;
  /** Counts the queue messages written for this mail: of two messages the one with the lower turn is stale. */
  readonly turn: number;
  readonly attempts: readonly Attempt[];
  /** How often the attempts were more than are kept. */
  readonly omittedAttempts: number;
  /** A queue message exists that will bring this mail back; else only the caller who waits has its content. */
  readonly inQueue: boolean;
  /** Set once `onUnknown: resend` has used its one chance. */
  readonly resent: boolean;
};

type In<State extends string, More = unknown> = MailFacts & { readonly state: State } & More;

export type QueuedRow = In<'queued'>;
export type SendingRow = In<'sending'>;
export type DeferredRow = In<'deferred', { readonly reason: ErrorReport; readonly until: string }>;
export type UnknownRow = In<'unknown', { readonly reason: ErrorReport }>;
export type SentRow = In<'sent', { readonly graphRequestId?: string; readonly verified: boolean }>;
export type RejectedRow = In<'rejected', { readonly reason: ErrorReport }>;
export type HeldRow = In<'held', { readonly reason: ErrorReport; readonly record: string }>;
export type ClosedRow = In<'closed', { readonly reason: ErrorReport; readonly note: string }>;

export type LedgerRow =
  | QueuedRow
  | SendingRow
  | DeferredRow
  | UnknownRow
  | SentRow
  | RejectedRow
  | HeldRow
  | ClosedRow;

export type MailState = LedgerRow['state'];

/** In these the relay will do nothing more by itself. */
export const FINAL_STATES = ['sent', 'rejected', 'held', 'closed'] as const satisfies readonly MailState[];

export const isFinal = (state: MailState): boolean => (FINAL_STATES as readonly MailState[]).includes(state);

/** Since when the mail is tried, for the time after which it is given up. */
export const triedSince = (row: MailFacts): number => Date.parse(row.replayedAt ?? row.acceptedAt);

const MAX_ATTEMPTS_KEPT = 20;

const factsOf = (row: LedgerRow): MailFacts => {
  const { mailId, caller, sender, recipients, recipientAddresses, tags, keyHash, bodyHash, leavesCopy } = row;
  const { acceptedAt, replayedAt, updatedAt, turn, attempts, omittedAttempts, inQueue, resent } = row;
  return {
    mailId,
    caller,
    sender,
    recipients,
    ...(recipientAddresses === undefined ? {} : { recipientAddresses }),
    tags,
    ...(keyHash === undefined ? {} : { keyHash }),
    bodyHash,
    leavesCopy,
    acceptedAt,
    ...(replayedAt === undefined ? {} : { replayedAt }),
    updatedAt,
    turn,
    attempts,
    omittedAttempts,
    inQueue,
    resent,
  };
};

const at = (row: LedgerRow, now: Date): MailFacts => ({ ...factsOf(row), updatedAt: now.toISOString() });

const withAttempt = (row: LedgerRow, attempt: Attempt, now: Date): MailFacts => {
  const attempts = [...row.attempts, attempt];
  const kept = attempts.slice(-MAX_ATTEMPTS_KEPT);
  return {
    ...at(row, now),
    attempts: kept,
    omittedAttempts: row.omittedAttempts + attempts.length - kept.length,
  };
};

export type NewMail = Omit<
  MailFacts,
  'replayedAt' | 'updatedAt' | 'turn' | 'attempts' | 'omittedAttempts' | 'inQueue' | 'resent'
>;

const fresh = (mail: NewMail, inQueue: boolean, now: Date): MailFacts => ({
  ...mail,
  updatedAt: now.toISOString(),
  turn: 0,
  attempts: [],
  omittedAttempts: 0,
  inQueue,
  resent: false,
});

/*
 * The transitions. Each takes only the states it is legal from, so that an illegal one does not compile; the
 * diagram in docs/architecture.md is drawn from `transitions` below, and a test holds them together.
 */

export const queueNew = (mail: NewMail, now: Date): QueuedRow => ({
  ...fresh(mail, true, now),
  state: 'queued',
});

/** Its message was put once more, so that whoever would take the first one back finds the row changed. */
export const requeue = (row: QueuedRow, now: Date): QueuedRow => ({ ...at(row, now), state: 'queued' });

/** A mail claimed at first sight: `inQueue` says whether a message will bring it back if this process dies. */
export const claimNew = (mail: NewMail, inQueue: boolean, now: Date): SendingRow => ({
  ...fresh(mail, inQueue, now),
  state: 'sending',
});

export const claim = (row: QueuedRow | DeferredRow | UnknownRow | RejectedRow, now: Date): SendingRow => ({
  ...at(row, now),
  state: 'sending',
});

export const recordSent = (row: SendingRow, attempt: Attempt, now: Date): SentRow => ({
  ...withAttempt(row, attempt, now),
  state: 'sent',
  ...(attempt.graphRequestId === undefined ? {} : { graphRequestId: attempt.graphRequestId }),
  verified: false,
});

/** Found in Sent Items. */
export const recordFound = (row: UnknownRow, now: Date): SentRow => ({
  ...at(row, now),
  state: 'sent',
  verified: true,
});

export const recordRejected = (
  row: SendingRow,
  attempt: Attempt,
  reason: ErrorReport,
  now: Date,
): RejectedRow => ({ ...withAttempt(row, attempt, now), state: 'rejected', reason });

/**
 * The message that should bring it back could not be put on the queue, and the caller is told so. Should it be there
 * after all, it must not bring back the mail the caller sends again under the same id: its turn is over.
 */
export const withdraw = (row: QueuedRow | SendingRow, reason: ErrorReport, now: Date): RejectedRow => ({
  ...at(row, now),
  turn: row.turn + 2,
  state: 'rejected',
  reason,
});

export const recordDeferred = (
  row: SendingRow,
  attempt: Attempt,
  { reason, until, resent }: { readonly reason: ErrorReport; readonly until: Date; readonly resent: boolean },
  now: Date,
): DeferredRow => ({
  ...withAttempt(row, attempt, now),
  turn: row.turn + 1,
  inQueue: true,
  resent: row.resent || resent,
  state: 'deferred',
  reason,
  until: until.toISOString(),
});

export const recordUnknown = (
  row: SendingRow,
  attempt: Attempt,
  reason: ErrorReport,
  now: Date,
): UnknownRow => ({
  ...withAttempt(row, attempt, now),
  turn: row.turn + 1,
  inQueue: true,
  state: 'unknown',
  reason,
});

export const recordHeld = (
  row: QueuedRow | SendingRow | DeferredRow | UnknownRow,
  {
    reason,
    record,
    attempt,
  }: { readonly reason: ErrorReport; readonly record: string; readonly attempt?: Attempt },
  now: Date,
): HeldRow => ({
  ...(attempt === undefined ? at(row, now) : withAttempt(row, attempt, now)),
  state: 'held',
  reason,
  record,
});

export const holdNew = (mail: NewMail, reason: ErrorReport, record: string, now: Date): HeldRow => ({
  ...fresh(mail, false, now),
  state: 'held',
  reason,
  record,
});

export const replay = (row: HeldRow, now: Date): QueuedRow => ({
  ...at(row, now),
  replayedAt: now.toISOString(),
  turn: row.turn + 1,
  inQueue: true,
  state: 'queued',
});

export const close = (row: HeldRow, note: string, now: Date): ClosedRow => ({
  ...at(row, now),
  state: 'closed',
  reason: row.reason,
  note,
});

/** Every legal step, for the diagram and for the model the property tests walk. */
export const transitions = {
  queued: ['sending', 'rejected', 'held'],
  sending: ['sent', 'rejected', 'deferred', 'unknown', 'held'],
  deferred: ['sending', 'held'],
  unknown: ['sent', 'sending', 'held'],
  rejected: ['sending'],
  held: ['queued', 'unknown', 'closed'],
  sent: [],
  closed: [],
} as const satisfies Record<MailState, readonly MailState[]>;
