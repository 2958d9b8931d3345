import { type InState, isIn, type LedgerRow } from './ledger-row.ts';
import type { Envelope } from './queue-message.ts';
import { type Announcement, catchUp } from './transitions.ts';

/** An attempt takes seconds; its mail is not kept on the queue for minutes because it may have died. */
const LOOK_AGAIN_MS = 30_000;

/** What to do with a queue message, given what the ledger says of its mail. */
export type DeliveryDecision =
  /** The mail is not in the ledger yet. */
  | { readonly kind: 'first' }
  | { readonly kind: 'send'; readonly row: InState<'queued' | 'deferred'> }
  | { readonly kind: 'look-up'; readonly row: InState<'unknown'> }
  /** An attempt began, and nobody wrote down how it ended: its outcome is unknown. */
  | { readonly kind: 'lost'; readonly row: InState<'sending'> }
  /** Another invocation may still be sending it. */
  | { readonly kind: 'later'; readonly waitMs: number }
  /** Rejected by HTTP, and its caller has put it into a queue under the same key: nothing was accepted the first time. */
  | { readonly kind: 'afresh'; readonly row: InState<'rejected'> }
  /** Dealt with, or a newer message for it exists. */
  | { readonly kind: 'drop'; readonly done: boolean };

/**
 * Decides by state and turn. A message is always put on the queue before the row that announces it is written, so a
 * message with a higher turn than its row proves that the attempt before it ended as the message says; the row is
 * merely late. A message with a lower turn is a copy of one that was dealt with.
 */
export const decideDelivery = (
  row: LedgerRow | undefined,
  message: Announcement & Pick<Envelope, 'unjudged'>,
  now: Date,
  sendingLimitMs: number,
): DeliveryDecision => {
  if (row === undefined) return { kind: 'first' };
  if (message.unjudged && isIn(row, 'rejected')) return { kind: 'afresh', row };
  const { turn, updatedAt } = row.progress;
  if (message.turn > turn && isIn(row, 'sending', 'held')) return followed(row, message, now);
  if (message.turn === turn && isIn(row, 'held') && row.progress.inQueue) {
    // Taken for lost by the sweep, as nothing was seen of it for more than a week; here it is.
    if (row.fate.why === 'lost-message') return followed(row, message, now);
    if (row.fate.why === 'lost-attempt') return followed(row, { ...message, phase: 'look-up' }, now);
  }
  // A newer message may need the content that both name, unless no message will ever be needed again.
  if (message.turn < turn) return { kind: 'drop', done: isIn(row, 'sent', 'closed', 'canceled', 'captured') };
  if (isIn(row, 'queued', 'deferred')) return { kind: 'send', row };
  if (isIn(row, 'unknown')) return { kind: 'look-up', row };
  if (isIn(row, 'sending')) {
    const leftMs = Date.parse(updatedAt) + sendingLimitMs - now.getTime();
    return leftMs > 0 ? { kind: 'later', waitMs: Math.min(leftMs, LOOK_AGAIN_MS) } : { kind: 'lost', row };
  }
  if (isIn(row, 'sent', 'rejected', 'closed', 'canceled', 'captured')) return { kind: 'drop', done: true };
  return leaveHeld(row);
};

/**
 * Of a held mail a message that says more may still come, or a replay be under way: the sweep deletes what is left. Takes
 * this state alone, so that a new one does not compile until the decision says what a message then means.
 */
const leaveHeld = (_row: InState<'held'>): DeliveryDecision => ({ kind: 'drop', done: false });

/** Goes on as the message says, from the row as it would read. */
const followed = (
  row: InState<'sending' | 'held'>,
  message: Announcement,
  now: Date,
): Extract<DeliveryDecision, { kind: 'send' | 'look-up' }> => {
  const late = catchUp(row, message, now);
  return isIn(late, 'unknown') ? { kind: 'look-up', row: late } : { kind: 'send', row: late };
};
