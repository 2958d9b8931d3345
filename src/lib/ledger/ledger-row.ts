import type { Route } from '../connections/route.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import type { Reason } from '../errors.ts';
import type { Priority } from '../mail/priority.ts';
import type { Sighting } from '../sending/look-up-plan.ts';
import type { AnswerFacts, SendOutcome } from '../sending/send-outcome.ts';
import type { SendWay } from '../sending/send-plan.ts';

/** One attempt to send, as the ledger remembers it. */
export type Attempt = AnswerFacts & {
  readonly at: string;
  readonly outcome: SendOutcome['kind'];
  readonly code?: string;
  /** What the other side asked for, in milliseconds. */
  readonly waitMs?: number;
};

/** How it was looked for after an attempt of unknown outcome, until that ended. */
export type LookedFor = {
  /** The last time. */
  readonly at: string;
  /** How often the mailbox could be read. */
  readonly times: number;
  /** What was seen the last time. */
  readonly seen: Sighting['kind'];
};

/** What is known of an email since it was received, and never changes but for `sendAt`. Never its subject, body or attachments. */
export type MailFacts = {
  readonly mailId: string;
  readonly caller: string;
  readonly sender: string;
  readonly recipients: number;
  /** Only where MAIL_LEDGER_RECIPIENTS is true. */
  readonly recipientAddresses?: readonly string[];
  /** Keyed hashes of the addresses, in the order to, cc, bcc; of rows before searches by recipient, none. */
  readonly recipientHashes?: readonly string[];
  readonly tags: readonly string[];
  /** With which it was accepted; absent where that is normal, as in rows before there were priorities. */
  readonly priority?: Priority;
  /** Of the idempotency key, where there is one. */
  readonly keyHash?: string;
  /** Empty for a message that cannot be read. */
  readonly bodyHash: string;
  /** Whether it is kept in Sent Items; else that it is not there says nothing. */
  readonly leavesCopy: boolean;
  readonly acceptedAt: string;
  /** When it is to be sent, where that was later than it was received. Its content says when it was to be sent at first. */
  readonly sendAt?: string;
};

/** A draft that the last attempt made. Written before the draft is sent. */
export type DraftRecord = {
  readonly mailbox: string;
  /** Immutable: the same while the item stays in the mailbox. */
  readonly id: string;
  readonly internetMessageId?: string;
  /** By which connection it was made. */
  readonly route?: Route;
  /** Its sending may have begun. Until then it certainly was not sent. */
  readonly isSubmitted: boolean;
};

export type ReplayedBy = 'operator' | 'application';

type HeldBefore = { readonly at: string; readonly code: ErrorCode; readonly times: number };

/** How far the relay has come with it. */
export type Progress = {
  /** How the last attempt goes or went; of rows without it, in JSON. */
  readonly way?: SendWay;
  /** By which connection the last attempt goes or went; of rows without it, there was only one. */
  readonly route?: Route;
  /** The settings of a test environment send, or sent, it to another address instead of its recipients. */
  readonly redirected?: true;
  /** They keep it for the inbox page, or will when its time comes, and it goes to nobody. */
  readonly captured?: true;
  /** Some attempt went by a draft: one of them can be in Drafts, unsent. */
  readonly madeDrafts?: true;
  readonly draft?: DraftRecord;
  /** When an operator, or after a rejection its caller, had it sent again; the time it may be tried begins anew then. */
  readonly replayedAt?: string;
  /** Who had it sent again; absent where that is not known. */
  readonly replayedBy?: ReplayedBy;
  /** When and why it was held the last time, before it was replayed or closed, and how often in all; of rows before, none. */
  readonly heldBefore?: HeldBefore;
  /** When it was counted towards the daily limit of its caller; an email is counted once. */
  readonly countedAt?: string;
  readonly updatedAt: string;
  /** Counts the queue messages written for this email: of two messages the one with the lower turn is stale. */
  readonly turn: number;
  readonly attempts: readonly Attempt[];
  /** How often the attempts were more than are kept. */
  readonly omittedAttempts: number;
  /** Written with what followed from it: a look-up after which it is looked for again writes nothing. Of rows before, none. */
  readonly lookedFor?: readonly LookedFor[];
  /** When it was found that the ledger, which was restored, may not know what happened to it; from then on it is looked for. */
  readonly soughtAt?: string;
  /** The event of its final state could not be told, so the sweep tells it. */
  readonly untold?: true;
  /** A queue message exists that will bring this email back; else only the caller who waits has its content. */
  readonly inQueue: boolean;
  /** A repeat of its request has put its message once more: there is one for certain. */
  readonly hasMessage?: true;
  /** Set once `onUnknown: resend` has used its one chance. */
  readonly resent: boolean;
};

/** Why an email is held. */
export type WhyHeld =
  /** It was refused, or its time was over: it was certainly not sent. */
  | 'refused'
  /** It may have been sent, and nothing but a person can find out. */
  | 'doubt'
  /** Its message, or the caller who waited, is gone, and it was certainly not sent. */
  | 'lost-message'
  /** Its message is gone, and an attempt had begun. */
  | 'lost-attempt';

/** What somebody else than the relay said of one recipient, after Exchange had accepted the email. */
export type RecipientDelivery = {
  /** The keyed hash of the address, as in the facts. */
  readonly recipient: string;
  /** As the message trace of Exchange names them; `delivered` means that the next mail server took it. */
  readonly status: 'delivered' | 'pending' | 'failed' | 'quarantined' | 'spam' | 'expanded';
  /** The message trace of Exchange, or a report that came back to the sender. */
  readonly source: 'trace' | 'report';
  readonly at: string;
  /** The enhanced status code (RFC 3463), such as 5.1.1. */
  readonly code?: string;
  /** It belongs to this email by its recipient and time alone. */
  readonly isGuess?: true;
};

export type Queued = {
  readonly state: 'queued';
  /** Why it waits and until when, where that is for the daily limit of its caller. */
  readonly limited?: { readonly reason: Reason; readonly until: string };
};
export type Sending = { readonly state: 'sending' };
export type Deferred = { readonly state: 'deferred'; readonly reason: Reason; readonly until: string };
export type Unknown = { readonly state: 'unknown'; readonly reason: Reason };
export type Sent = {
  readonly state: 'sent';
  readonly graphRequestId?: string;
  readonly verified: boolean;
  /** The Message-ID it really went out with, once it is known. */
  readonly internetMessageId?: string;
  /** The latest of each recipient of whom something is known. */
  readonly deliveries?: readonly RecipientDelivery[];
  /** When the message trace was last asked about it, whatever it knew. */
  readonly tracedAt?: string;
  /** Why what it said then was not all about this email: who is not in it can be listed all the same. */
  readonly traceGap?: 'TRACE_MESSAGE_ID_UNKNOWN' | 'TRACE_INCOMPLETE';
};
export type Rejected = { readonly state: 'rejected'; readonly reason: Reason };
export type Held = {
  readonly state: 'held';
  readonly why: WhyHeld;
  readonly reason: Reason;
  /** The name of its record. */
  readonly record: string;
  /** Whether the record has the email; else only a caller who repeats the request can bring it. */
  readonly hasContent: boolean;
};
export type Closed = { readonly state: 'closed'; readonly reason: Reason; readonly note: string };
/** Its caller took it back before an attempt began. */
export type Canceled = { readonly state: 'canceled' };

/** Kept for the inbox page of a test environment: it was certainly not sent, and nobody will send it. */
export type Captured = { readonly state: 'captured' };

/** What has become of it: each state with what it alone has. */
export type Fate =
  | Queued
  | Sending
  | Deferred
  | Unknown
  | Sent
  | Rejected
  | Held
  | Closed
  | Canceled
  | Captured;

export type MailState = Fate['state'];

/** A row with one of these fates. */
export type Row<Its extends Fate> = Its extends Fate
  ? { readonly facts: MailFacts; readonly progress: Progress; readonly fate: Its }
  : never;

export type LedgerRow = Row<Fate>;

export type InState<State extends MailState> = Row<Extract<Fate, { readonly state: State }>>;

export const isIn = <State extends MailState>(
  row: LedgerRow,
  ...states: readonly State[]
): row is InState<State> => (states as readonly MailState[]).includes(row.fate.state);

/** In these the relay will do nothing more by itself. */
export const FINAL_STATES = [
  'sent',
  'rejected',
  'held',
  'closed',
  'canceled',
  'captured',
] as const satisfies readonly MailState[];
export const OPEN_STATES = [
  'queued',
  'sending',
  'deferred',
  'unknown',
] as const satisfies readonly MailState[];

export const isFinal = (row: LedgerRow): row is InState<(typeof FINAL_STATES)[number]> =>
  isIn(row, ...FINAL_STATES);

/** Whether the event of its final state is still to be told. */
export const isUntold = (row: LedgerRow): boolean => isFinal(row) && row.progress.untold === true;

const later = (one: string, other: string): string => (one > other ? one : other);

/** From when on the email was to be sent, whatever the limit of its caller says. */
const wantedFrom = ({ facts: { acceptedAt, sendAt = acceptedAt } }: LedgerRow): string =>
  later(sendAt, acceptedAt);

/** From when on the email is the relay's to send: it was received, and the time it waits for has come. */
export const dueFrom = (row: LedgerRow): string => {
  const limited = row.fate.state === 'queued' ? row.fate.limited : undefined;
  return limited === undefined ? wantedFrom(row) : later(limited.until, wantedFrom(row));
};

/** Since when the email waits to be sent; an operator who replays it begins that anew. */
export const waitsSince = (row: LedgerRow): Date =>
  new Date(later(row.progress.replayedAt ?? row.facts.acceptedAt, wantedFrom(row)));

/**
 * Since when the email is tried, for the time after which it is given up; milliseconds of the epoch. What it waited for the limit of
 * its caller is not part of it, nor what it waited for a ledger to be restored.
 */
export const triedSince = (row: LedgerRow): number =>
  Math.max(
    waitsSince(row).getTime(),
    Date.parse(row.progress.countedAt ?? row.facts.acceptedAt),
    Date.parse(row.progress.soughtAt ?? row.facts.acceptedAt),
  );

/** Whether it still has to be counted towards the limit of its caller: once, before its first attempt. */
export const isUncounted = (row: LedgerRow): boolean =>
  row.progress.countedAt === undefined && attemptsOf(row) === 0;

/** Whether its caller was promised that it would not reach its recipients. */
export const isKeptFromRecipients = ({ progress }: LedgerRow): boolean =>
  progress.redirected === true || progress.captured === true;

/** Whether some recipient certainly did not get it, although Exchange accepted it. */
export const isBounced = ({ fate }: LedgerRow): boolean =>
  fate.state === 'sent' &&
  (fate.deliveries ?? []).some(({ status, isGuess = false }) => status === 'failed' && !isGuess);

/** No caller has this name: it stands in the row of an email of which nothing but the id is known. */
export const UNKNOWN_CALLER = '';

/** Whether the row was made for an id alone, by an operator who closed it: whoever brings an email with this id, it is that one. */
export const isClosedUnseen = (row: LedgerRow): boolean =>
  row.fate.state === 'closed' && row.facts.caller === UNKNOWN_CALLER;

/** How often it was tried, also what is no longer kept. */
export const attemptsOf = ({ progress }: LedgerRow): number =>
  progress.attempts.length + progress.omittedAttempts;
