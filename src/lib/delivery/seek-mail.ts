import { AppError } from '../errors.ts';
import type { KnownIdentity } from '../ledger/identity.ts';
import { isAheadOf, isInGap, isRowInGap, type LedgerGap } from '../ledger/ledger-gap.ts';
import { attemptsOf, type InState, isIn, type MailFacts } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { type Going, seek, seekNew } from '../ledger/transitions.ts';
import type { LedgerEntry } from '../ports.ts';
import { LOOK_UPS, lookUpWaitMs } from '../sending/look-up-plan.ts';
import type { SendPlan } from '../sending/send-plan.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { deletePayload, type QueueMailNeeds, queueMail } from './queue-mail.ts';

export type SeekNeeds = HoldNeeds &
  QueueMailNeeds & { readonly policy: Pick<SendPolicy, 'verifyWindowMs' | 'sendingLimitMs'> };

/** A row that would be sent. */
type Sendable = LedgerEntry<InState<'queued' | 'deferred' | 'unknown' | 'rejected'>>;

/** An email that is looked for before it is sent, because the ledger was restored. */
type SoughtMail = {
  readonly envelope: Envelope;
  readonly facts: MailFacts;
  /** Undefined where the ledger does not have it. */
  readonly entry: Sendable | undefined;
  /** How it would go now; undefined where its content can no longer be read. */
  readonly plan: Pick<SendPlan, 'kind'> | undefined;
  readonly how: Going;
  readonly original: unknown;
};

/** Whether an email is to be looked for before it is sent: the ledger was restored, and cannot say that it was not sent. */
export const isToSeek = (
  { gap }: Pick<KnownIdentity, 'gap'>,
  message: Pick<Envelope, 'turn' | 'phase'>,
  facts: MailFacts,
  entry: LedgerEntry | undefined,
): boolean =>
  isAheadOf(entry?.row, message) ||
  (entry === undefined ? isInGap(facts, undefined, gap) : isRowInGap(entry.row, gap));

/**
 * Lets an email be looked for as one of unknown outcome: its message first, then its row. What leaves no copy in the mailbox is held.
 * `beaten` when another invocation changed the row.
 */
export const seekMail = async (needs: SeekNeeds, mail: SoughtMail): Promise<'done' | 'beaten'> => {
  const { envelope, facts, entry, plan, how } = mail;
  const way = plan?.kind;
  if (!(entry?.row.facts ?? facts).leavesCopy && way !== 'draft') return holdUnseen(needs, mail);
  const now = needs.clock.now();
  const turn = Math.max(envelope.turn, entry?.row.progress.turn ?? 0) + 1;
  const { lookUps, waitMs } = firstLook((await needs.readIdentity()).gap, needs.policy, now);
  const { dueAt: _due, unjudged: _judged, ...known } = envelope;
  await queueMail(needs, { ...known, turn, phase: 'look-up', lookUps }, waitMs);
  const written =
    entry === undefined
      ? await needs.ledger.create(seekNew(facts, turn, now, way ?? 'json', how))
      : await needs.ledger.replace(seek(entry.row, turn, now, way, how), entry.etag);
  if (written === undefined) return 'beaten';
  const attempts = entry === undefined ? 0 : attemptsOf(entry.row);
  needs.log({ event: 'MailUnknown', mailId: facts.mailId, attempts, code: 'OUTCOME_UNKNOWN' });
  return 'done';
};

/**
 * A copy can be late in Sent Items. Once it has had its time since the ledger was restored, one look is enough: whatever was sent later is
 * in the ledger.
 */
const firstLook = (
  gap: LedgerGap | undefined,
  { verifyWindowMs, sendingLimitMs }: SeekNeeds['policy'],
  now: Date,
): { readonly lookUps: number; readonly waitMs: number } =>
  gap !== undefined && now.getTime() >= gap.until.getTime() + sendingLimitMs + verifyWindowMs
    ? { lookUps: LOOK_UPS - 1, waitMs: 0 }
    : { lookUps: 0, waitMs: lookUpWaitMs(0, verifyWindowMs) };

const UNSEEN =
  'The ledger was restored from a backup, and does not say whether the email was sent after that. The email leaves no copy in Sent Items, so the relay cannot look. Before you replay it, look in the log for MailCanceled and MailClosed with its ID: it may have been canceled or closed after the backup.';

const holdUnseen = async (
  needs: SeekNeeds,
  { envelope, facts, entry, original }: SoughtMail,
): Promise<'done' | 'beaten'> => {
  const order = {
    why: 'doubt',
    reason: new AppError('OUTCOME_UNKNOWN', { detail: UNSEEN }),
    original,
  } as const;
  const subject =
    entry === undefined ? { facts } : { row: asOpen(entry.row, needs.clock.now()), etag: entry.etag };
  if ((await hold(needs, subject, order)) === undefined) return 'beaten';
  await deletePayload(needs, envelope);
  return 'done';
};

/** What was rejected and is sent again is in doubt from here on. */
const asOpen = (row: Sendable['row'], now: Date): InState<'queued' | 'deferred' | 'unknown'> =>
  isIn(row, 'rejected') ? seek(row, row.progress.turn, now, undefined) : row;
