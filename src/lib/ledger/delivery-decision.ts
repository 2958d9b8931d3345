import type { DeferredRow, LedgerRow, QueuedRow, SendingRow, UnknownRow } from './ledger-row.ts';
import type { Envelope } from './queue-message.ts';

/** An attempt takes seconds; its mail is not kept on the queue for minutes because it may have died. */
const LOOK_AGAIN_MS = 30_000;

/** What to do with a queue message, given what the ledger says of its mail. */
export type DeliveryDecision =
  /** The mail is not in the ledger yet. */
  | { readonly kind: 'first' }
  | { readonly kind: 'send'; readonly row: QueuedRow | DeferredRow }
  | { readonly kind: 'look-up'; readonly row: UnknownRow }
  /** An attempt began, and nobody wrote down how it ended: its outcome is unknown. */
  | { readonly kind: 'lost'; readonly row: SendingRow }
  /** Another invocation may still be sending it. */
  | { readonly kind: 'later'; readonly waitMs: number }
  /** Dealt with, or a newer message for it exists. */
  | { readonly kind: 'drop'; readonly done: boolean };

/**
 * Decides by state and turn. A message is always put on the queue before the row that announces it is written, so a
 * message with a higher turn than its row proves that the attempt before it ended as the message says; the row is
 * merely late. A message with a lower turn is a copy of one that was dealt with.
 */
export const decideDelivery = (
  row: LedgerRow | undefined,
  message: Pick<Envelope, 'turn' | 'phase' | 'acceptedAt' | 'resent'>,
  now: Date,
  sendingLimitMs: number,
): DeliveryDecision => {
  if (row === undefined) return { kind: 'first' };
  if (message.turn > row.turn && (row.state === 'sending' || row.state === 'held'))
    return announced(row, message, now);
  if (message.turn === row.turn && row.state === 'held' && row.inQueue) {
    // Taken for lost by the sweep, as nothing was seen of it for more than a week; here it is.
    if (row.reason.code === 'MAIL_LOST') return announced(row, message, now);
    if (row.reason.code === 'ATTEMPT_LOST') return announced(row, { ...message, phase: 'look-up' }, now);
  }
  // A newer message may need the content that both name, unless no message will ever be needed again.
  if (message.turn < row.turn) return { kind: 'drop', done: row.state === 'sent' || row.state === 'closed' };
  switch (row.state) {
    case 'queued':
    case 'deferred':
      return { kind: 'send', row };
    case 'unknown':
      return { kind: 'look-up', row };
    case 'sending': {
      const leftMs = Date.parse(row.updatedAt) + sendingLimitMs - now.getTime();
      return leftMs > 0 ? { kind: 'later', waitMs: Math.min(leftMs, LOOK_AGAIN_MS) } : { kind: 'lost', row };
    }
    case 'sent':
    case 'rejected':
    case 'closed':
      return { kind: 'drop', done: true };
    // A message that says more may still come, or a replay be under way: the sweep deletes what is left.
    case 'held':
      return { kind: 'drop', done: false };
  }
};

/** The row as it would read, had its last write not been lost. */
const announced = (
  row: Extract<LedgerRow, { state: 'sending' | 'held' }>,
  { turn, phase, acceptedAt, resent = false }: Pick<Envelope, 'turn' | 'phase' | 'acceptedAt' | 'resent'>,
  now: Date,
): DeliveryDecision => {
  const late = {
    ...row,
    turn,
    resent: row.resent || resent,
    // Brought back by a replay, or by its message after the sweep had given it up: it begins anew.
    ...(row.state === 'held' ? { replayedAt: acceptedAt.toISOString() } : {}),
    updatedAt: now.toISOString(),
  };
  return phase === 'look-up'
    ? { kind: 'look-up', row: { ...late, state: 'unknown', reason: UNRECORDED } }
    : { kind: 'send', row: { ...late, state: 'queued' } };
};

const UNRECORDED = {
  code: 'OUTCOME_UNKNOWN',
  title: 'It is not known whether Graph sent the mail',
  remedy: 'The relay looks it up.',
} as const;
