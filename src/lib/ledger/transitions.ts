import type { Route } from '../connections/route.ts';
import { defined } from '../defined.ts';
import type { Reason } from '../errors.ts';
import type { SendWay } from '../sending/send-plan.ts';
import {
  type Attempt,
  type Canceled,
  type Captured,
  type Closed,
  type Deferred,
  type DraftRecord,
  type Held,
  isIn,
  type LedgerRow,
  type LookedFor,
  type MailFacts,
  type MailState,
  type Progress,
  type Queued,
  type RecipientDelivery,
  type Rejected,
  type ReplayedBy,
  type Row,
  type Sending,
  type Sent,
  UNKNOWN_CALLER,
  type Unknown,
} from './ledger-row.ts';

/*
 * The transitions. Each takes only the states it is legal from, so that an illegal one does not compile; the diagram in
 * docs/architecture.md is drawn from `transitions` below, and a test holds them together. Rows are made nowhere else.
 */

const MAX_ATTEMPTS_KEPT = 20;

const begun = (inQueue: boolean, now: Date): Progress => ({
  updatedAt: now.toISOString(),
  turn: 0,
  attempts: [],
  omittedAttempts: 0,
  inQueue,
  resent: false,
});

/** The progress of a row that changes now, with what changes in it. */
const since = ({ progress }: LedgerRow, now: Date, changes: Partial<Progress> = {}): Progress => ({
  ...progress,
  updatedAt: now.toISOString(),
  ...changes,
});

const after = (row: LedgerRow, attempt: Attempt, now: Date, changes: Partial<Progress> = {}): Progress => {
  const attempts = [...row.progress.attempts, attempt];
  const kept = attempts.slice(-MAX_ATTEMPTS_KEPT);
  const omittedAttempts = row.progress.omittedAttempts + attempts.length - kept.length;
  return since(row, now, { attempts: kept, omittedAttempts, ...changes });
};

/** What the settings for a test environment make of an email. */
export type Diverted = {
  /** It goes to another address than its recipients. */
  readonly redirected?: boolean;
  /** It is kept for the inbox page. */
  readonly captured?: boolean;
};

/** What is known of an email as it begins to go, beside the way it goes. */
export type Going = Diverted & {
  /** When it was counted against the limits of its caller. */
  readonly countedAt?: string | undefined;
  /** As whom it goes: written down where the ledger does not know it, or nothing was accepted before. */
  readonly sender?: string;
  /** By which connection it goes. */
  readonly route?: Route;
};

/** The facts with the sender, where they have none. */
const completed = (facts: MailFacts, { sender = '' }: Going): MailFacts =>
  facts.sender === '' ? { ...facts, sender } : facts;

/** The facts with the sender of now: nothing was accepted before. */
const anew = (facts: MailFacts, { sender = facts.sender }: Going): MailFacts => ({ ...facts, sender });

/** How the email goes by the settings of now. */
const going = (
  progress: Progress,
  way: SendWay | undefined,
  { countedAt, route, ...how }: Going,
): Progress => ({
  ...diverted(progress, how),
  ...defined({ way, countedAt, route }),
  ...(way === 'draft' ? { madeDrafts: true as const } : {}),
});

const diverted = (
  { redirected: _redirected, captured: _captured, ...progress }: Progress,
  { redirected = false, captured = false }: Diverted,
): Progress => ({
  ...progress,
  ...(redirected ? { redirected: true as const } : {}),
  ...(captured ? { captured: true as const } : {}),
});

/** The message that brings it back has been put on the queue. */
const nextTurn = ({ progress }: LedgerRow): Partial<Progress> => ({ turn: progress.turn + 1, inQueue: true });

/** That it was held stays to be told when it is held no more. */
const heldOnce = ({ fate, progress }: Row<Held>): Partial<Progress> => ({
  heldBefore: {
    at: progress.updatedAt,
    code: fate.reason.code,
    times: (progress.heldBefore?.times ?? 0) + 1,
  },
});

/** It is sent again, and the time it may be tried begins anew. */
const replayed = (at: Date, by: ReplayedBy): Partial<Progress> => ({
  replayedAt: at.toISOString(),
  replayedBy: by,
});

/** Nothing of it was accepted, so it counts no more. */
const uncounted = ({ countedAt: _, ...progress }: Progress): Progress => progress;

export const queueNew = (facts: MailFacts, now: Date, how: Going = {}): Row<Queued> => ({
  facts,
  progress: going(begun(true, now), undefined, how),
  fate: { state: 'queued' },
});

/** It waits for the daily limit of its caller, at least until then or until the limit is raised. */
export const limit = (row: Row<Queued>, reason: Reason, until: Date, now: Date): Row<Queued> => ({
  ...row,
  progress: since(row, now),
  fate: { state: 'queued', limited: { reason, until: until.toISOString() } },
});

/** It was tried before, and waits for the recipients of the day. That an attempt may have sent it stays the reason: it matters more. */
export const postpone = (row: Row<Deferred>, reason: Reason, until: Date, now: Date): Row<Deferred> => ({
  ...row,
  progress: since(row, now),
  fate: {
    state: 'deferred',
    reason: row.fate.reason.code === 'OUTCOME_UNKNOWN' ? row.fate.reason : reason,
    until: until.toISOString(),
  },
});

/** Its caller wants it sent at another time, which its messages find here. */
export const reschedule = (row: Row<Queued>, sendAt: string, now: Date): Row<Queued> => ({
  ...row,
  facts: { ...row.facts, sendAt },
  progress: since(row, now),
});

/** Its message was put once more, so that whoever would take the first one back finds the row changed. */
export const requeue = (row: Row<Queued>, now: Date): Row<Queued> => ({
  ...row,
  progress: since(row, now, { hasMessage: true }),
});

/** An email claimed at first sight: `inQueue` says whether a message will bring it back if this process dies. */
export const claimNew = (
  facts: MailFacts,
  inQueue: boolean,
  now: Date,
  way?: SendWay,
  how: Going = {},
): Row<Sending> => ({
  facts,
  progress: going(begun(inQueue, now), way, how),
  fate: { state: 'sending' },
});

export const claim = (
  row: Row<Queued | Deferred | Unknown>,
  now: Date,
  way?: SendWay,
  how: Going = {},
): Row<Sending> => ({
  facts: completed(row.facts, how),
  progress: going(since(row, now), way, how),
  fate: { state: 'sending' },
});

/** Nothing was accepted the first time, so the time it may be tried begins anew. */
export const claimAfresh = (row: Row<Rejected>, now: Date, way?: SendWay, how: Going = {}): Row<Sending> => ({
  facts: anew(row.facts, how),
  progress: going(since(row, now, replayed(now, 'application')), way, how),
  fate: { state: 'sending' },
});

/** As `claimAfresh`, for an email whose time has not come. */
export const queueAfresh = (row: Row<Rejected>, now: Date, how: Going = {}): Row<Queued> => ({
  facts: anew(row.facts, how),
  progress: going(since(row, now, { ...nextTurn(row), ...replayed(now, 'application') }), undefined, how),
  fate: { state: 'queued' },
});

/** What the ledger knows of the draft from now on; undefined: there is none that could have been sent. */
export const recordDraft = <Its extends Row<Sending | Unknown>>(
  row: Its,
  draft: DraftRecord | undefined,
  now: Date,
): Its => {
  const { draft: _before, ...progress } = since(row, now);
  return { ...row, progress: { ...progress, ...defined({ draft }) } };
};

/** How it was looked for, to be written with what follows from that. */
export const recordLookUps = (row: Row<Unknown>, looked: LookedFor): Row<Unknown> => ({
  ...row,
  progress: {
    ...row.progress,
    lookedFor: [...(row.progress.lookedFor ?? []), looked].slice(-MAX_ATTEMPTS_KEPT),
  },
});

/** Why an email is looked for that the ledger does not know to have been tried. */
const RESTORED: Reason = {
  code: 'OUTCOME_UNKNOWN',
  detail:
    'The ledger was restored from a backup, and does not say whether the email was sent after that. The relay looks in the mailbox of the sender first.',
};

/**
 * It may have been sent after the backup from which the ledger was restored; its message has this turn. Its drafts stay known: they are
 * settled before it is sent.
 */
export const seek = (
  row: Row<Queued | Deferred | Unknown | Sending | Rejected>,
  turn: number,
  now: Date,
  way: SendWay | undefined,
  how: Going = {},
): Row<Unknown> => ({
  facts: isIn(row, 'rejected') ? anew(row.facts, how) : completed(row.facts, how),
  progress: since(row, now, {
    ...soughtAs(way ?? row.progress.way, row.progress),
    ...defined({ countedAt: how.countedAt, route: row.progress.route ?? how.route }),
    turn,
    inQueue: true,
    soughtAt: now.toISOString(),
  }),
  fate: { state: 'unknown', reason: RESTORED },
});

/** As `seek`, for an email that the ledger does not have. */
export const seekNew = (
  facts: MailFacts,
  turn: number,
  now: Date,
  way: SendWay,
  how: Going = {},
): Row<Unknown> => ({
  facts,
  progress: {
    ...going(begun(true, now), undefined, how),
    ...soughtAs(way, {}),
    turn,
    soughtAt: now.toISOString(),
  },
  fate: { state: 'unknown', reason: RESTORED },
});

/** By what it is looked for: by its draft only where one is known that may have been sent, else by the property that all have. */
const soughtAs = (way: SendWay | undefined, { draft }: Pick<Progress, 'draft'>): Partial<Progress> =>
  way === 'draft' && draft?.isSubmitted !== true
    ? { way: 'json', madeDrafts: true }
    : { ...defined({ way }), ...(way === 'draft' ? { madeDrafts: true as const } : {}) };

export const recordSent = (row: Row<Sending>, attempt: Attempt, now: Date): Row<Sent> => ({
  facts: row.facts,
  progress: after(row, attempt, now),
  fate: {
    state: 'sent',
    ...defined({
      graphRequestId: attempt.graphRequestId,
      internetMessageId: row.progress.draft?.internetMessageId,
    }),
    verified: false,
  },
});

/** Found in the mailbox of the sender; with the attempt, where nothing else has recorded it. */
export const recordFound = (
  row: Row<Unknown | Sending>,
  now: Date,
  { attempt, internetMessageId }: { readonly attempt?: Attempt; readonly internetMessageId?: string } = {},
): Row<Sent> => ({
  facts: row.facts,
  progress: attempt === undefined ? since(row, now) : after(row, attempt, now),
  fate: { state: 'sent', verified: true, ...defined({ internetMessageId }) },
});

export const recordRejected = (
  row: Row<Sending>,
  attempt: Attempt,
  reason: Reason,
  now: Date,
): Row<Rejected> => ({
  facts: row.facts,
  progress: uncounted(after(row, attempt, now)),
  fate: { state: 'rejected', reason },
});

/**
 * The message that should bring it back could not be put on the queue, and the caller is told so. Should it be there
 * after all, it must not bring back the email the caller sends again under the same id: its turn is over.
 */
export const withdraw = (row: Row<Queued | Sending>, reason: Reason, now: Date): Row<Rejected> => ({
  facts: row.facts,
  progress: uncounted(since(row, now, { turn: row.progress.turn + 2 })),
  fate: { state: 'rejected', reason },
});

export const recordDeferred = (
  row: Row<Sending>,
  attempt: Attempt,
  { reason, until, isResend }: { readonly reason: Reason; readonly until: Date; readonly isResend: boolean },
  now: Date,
): Row<Deferred> => ({
  facts: row.facts,
  progress: after(row, attempt, now, { ...nextTurn(row), resent: row.progress.resent || isResend }),
  fate: { state: 'deferred', reason, until: until.toISOString() },
});

export const recordUnknown = (
  row: Row<Sending>,
  attempt: Attempt,
  reason: Reason,
  now: Date,
): Row<Unknown> => ({
  facts: row.facts,
  progress: after(row, attempt, now, nextTurn(row)),
  fate: { state: 'unknown', reason },
});

/** Why it is held, and where its content is. */
export type Holding = Omit<Held, 'state'>;

export const recordHeld = (
  row: Row<Queued | Sending | Deferred | Unknown>,
  holding: Holding,
  now: Date,
  attempt?: Attempt,
): Row<Held> => ({
  facts: row.facts,
  progress: attempt === undefined ? since(row, now) : after(row, attempt, now),
  fate: { state: 'held', ...holding },
});

export const holdNew = (facts: MailFacts, holding: Holding, now: Date): Row<Held> => ({
  facts,
  progress: begun(false, now),
  fate: { state: 'held', ...holding },
});

/** Its caller has brought the content that its record did not have; it is held since when it was. */
export const completeHeld = (row: Row<Held>): Row<Held> => ({
  ...row,
  fate: { ...row.fate, hasContent: true },
});

/**
 * `bodyHash` and `sendAt` are those of the content; a row of what could not be read, or was not valid, has none of its own. `how` is what
 * the settings make of it now, where an operator has decided to send it; else what was promised before stays. `by` is who has it sent.
 */
export const replay = (
  row: Row<Held>,
  bodyHash: string,
  now: Date,
  {
    sendAt,
    how,
    by = 'operator',
  }: {
    readonly sendAt?: string | undefined;
    readonly how?: Diverted | undefined;
    readonly by?: ReplayedBy;
  } = {},
): Row<Queued> => {
  const progress = since(row, now, { ...nextTurn(row), ...replayed(now, by), ...heldOnce(row) });
  return {
    facts: { ...row.facts, bodyHash, ...defined({ sendAt: row.facts.sendAt ?? sendAt }) },
    progress: how === undefined ? progress : diverted(progress, how),
    fate: { state: 'queued' },
  };
};

export const close = (row: Row<Held>, note: string, now: Date): Row<Closed> => ({
  facts: row.facts,
  progress: since(row, now, heldOnce(row)),
  fate: { state: 'closed', reason: row.fate.reason, note },
});

/** By an operator, while it waits: its caller may have lost the key by which it can be canceled. */
export const closeWaiting = (row: Row<Queued | Deferred>, note: string, now: Date): Row<Closed> => ({
  facts: row.facts,
  progress: since(row, now),
  fate: { state: 'closed', reason: { code: 'CLOSED_WHILE_WAITING' }, note },
});

/** Why an email is closed of which the ledger, which was restored, knows nothing but the id. */
const CLOSED_UNSEEN: Reason = {
  code: 'CLOSED_WHILE_WAITING',
  detail:
    'The ledger was restored from a backup that does not have the email. It may have been sent before that; the relay does not send it any more.',
};

/** Stands in for an email whose row was lost, so that its message is dropped when it comes. */
export const closeNew = (
  { mailId, acceptedAt }: { readonly mailId: string; readonly acceptedAt: Date },
  note: string,
  now: Date,
): Row<Closed> => ({
  facts: {
    mailId,
    caller: UNKNOWN_CALLER,
    acceptedAt: acceptedAt.toISOString(),
    sender: '',
    recipients: 0,
    tags: [],
    bodyHash: '',
    leavesCopy: false,
  },
  progress: begun(false, now),
  fate: { state: 'closed', reason: CLOSED_UNSEEN, note },
});

/** Its message is still on the queue, and is dropped when it is delivered. */
export const cancel = (row: Row<Queued | Deferred>, now: Date): Row<Canceled> => ({
  facts: row.facts,
  progress: since(row, now),
  fate: { state: 'canceled' },
});

/** Nothing of it goes to Graph; what is kept of it is stored by then. */
export const captureNew = (facts: MailFacts, inQueue: boolean, now: Date): Row<Captured> => ({
  facts,
  progress: diverted(begun(inQueue, now), { captured: true }),
  fate: { state: 'captured' },
});

/** As `captureNew`, for an email that the ledger has, and that was certainly not sent before. */
export const recordCaptured = (
  row: Row<Queued | Deferred | Unknown | Rejected>,
  now: Date,
): Row<Captured> => ({
  facts: row.facts,
  // It goes to nobody, whatever was meant before.
  progress: diverted(since(row, now), { captured: true }),
  fate: { state: 'captured' },
});

/** The Message-ID that an email went out with, seen in the mailbox; it ended when it was sent. */
export const recordMessageId = (row: Row<Sent>, internetMessageId: string): Row<Sent> => ({
  ...row,
  fate: { ...row.fate, internetMessageId },
});

/** What the message trace said when it was asked, also where that is nothing. */
export const recordTraced = (
  row: Row<Sent>,
  news: readonly RecipientDelivery[],
  at: Date,
  traceGap?: Sent['traceGap'],
): Row<Sent> => {
  const { fate, ...told } = recordDeliveries(row, news);
  const { traceGap: _, ...known } = fate;
  return { ...told, fate: { ...known, tracedAt: at.toISOString(), ...defined({ traceGap }) } };
};

/** Adds what was learned of recipients: of each, the news that counts. The email ended when it was sent. */
export const recordDeliveries = (row: Row<Sent>, news: readonly RecipientDelivery[]): Row<Sent> => {
  const known = new Map((row.fate.deliveries ?? []).map((one) => [one.recipient, one]));
  for (const one of news) {
    const before = known.get(one.recipient);
    if (before === undefined || supersedes(one, before)) known.set(one.recipient, one);
  }
  return { ...row, fate: { ...row.fate, deliveries: [...known.values()] } };
};

/**
 * The trace says `delivered` when the next server took the email; a report that comes back later says that it was not. So a report of a
 * failure outranks what the trace says, whichever was read first, and a guess outranks nothing. Of the rest the later counts. It is an
 * order of all there can be: what is known in the end does not depend on the order in which it was learned.
 */
const supersedes = (news: RecipientDelivery, before: RecipientDelivery): boolean => {
  const [ours, theirs] = [rankOf(news), rankOf(before)];
  const first = ours.findIndex((part, index) => part !== theirs[index]);
  return first !== -1 && (ours[first] ?? '') > (theirs[first] ?? '');
};

const rankOf = ({ isGuess, source, status, at, code = '' }: RecipientDelivery): readonly string[] => [
  isGuess ? '0' : '1',
  source === 'report' && status === 'failed' ? '1' : '0',
  at,
  source === 'report' ? '1' : '0',
  status,
  code,
];

/** What a message says that was written before its row, whose last write was lost. */
export type Announcement = {
  readonly turn: number;
  readonly phase: 'send' | 'look-up';
  readonly acceptedAt: Date;
  readonly resent?: boolean;
};

/** The row as it would read, had its last write not been lost. */
export const catchUp = (
  row: Row<Sending | Held>,
  { turn, phase, acceptedAt, resent = false }: Announcement,
  now: Date,
): Row<Queued | Unknown> => {
  const { facts } = row;
  const caughtUp = since(row, now, { turn, inQueue: true, resent: row.progress.resent || resent });
  // Only the replay of an operator writes a message for what is held for this reason.
  const isDecided = row.fate.state === 'held' && row.fate.reason.code === 'SAFETY_SWITCHED_OFF';
  const changed = isIn(row, 'held') ? broughtBack(caughtUp, row, acceptedAt, isDecided) : caughtUp;
  const progress = isDecided ? diverted(changed, {}) : changed;
  return phase === 'look-up'
    ? { facts, progress, fate: { state: 'unknown', reason: { code: 'OUTCOME_UNKNOWN' } } }
    : { facts, progress, fate: { state: 'queued' } };
};

/** By a replay, or by its message after the sweep had given it up: it begins anew, and the message does not say for whom. */
const broughtBack = (
  { replayedBy: _, ...progress }: Progress,
  row: Row<Held>,
  acceptedAt: Date,
  isDecided: boolean,
): Progress => ({
  ...progress,
  ...heldOnce(row),
  replayedAt: acceptedAt.toISOString(),
  ...(isDecided ? { replayedBy: 'operator' as const } : {}),
});

/** Every legal step, for the diagram and for the model the property tests walk. */
export const transitions = {
  queued: ['sending', 'rejected', 'unknown', 'held', 'canceled', 'closed', 'captured'],
  sending: ['sent', 'rejected', 'deferred', 'unknown', 'held'],
  deferred: ['sending', 'unknown', 'held', 'canceled', 'closed', 'captured'],
  unknown: ['sent', 'sending', 'held', 'captured'],
  rejected: ['sending', 'queued', 'unknown', 'captured'],
  held: ['queued', 'unknown', 'closed'],
  sent: [],
  closed: [],
  canceled: [],
  captured: [],
} as const satisfies Record<MailState, readonly MailState[]>;

/** Its event was told, or nobody wants it. */
export const recordTold = <Its extends LedgerRow>(row: Its): Its => {
  const { untold, ...progress } = row.progress;
  return untold === undefined ? row : { ...row, progress };
};

/** It has ended, and its event could not be told. */
export const recordUntold = <Its extends LedgerRow>(row: Its): Its => ({
  ...row,
  progress: { ...row.progress, untold: true },
});
