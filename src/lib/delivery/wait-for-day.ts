import { type InState, isIn, type MailFacts } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { type Diverted, limit, postpone, queueNew } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { DAY_CODES, type LaneResult } from './in-lane.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

/** An administrator can raise the limit, and emails that were counted can turn out not to be sent. */
const LOOK_AGAIN_MS = 3_600_000;

type Needs = QueueMailNeeds & Pick<Ports, 'ledger' | 'clock' | 'log'>;

type WaitingMail = {
  readonly envelope: Envelope;
  readonly facts: MailFacts;
  /** Undefined where the ledger does not have it yet, or says that it was rejected. */
  readonly entry: LedgerEntry<InState<'queued' | 'deferred' | 'unknown'>> | undefined;
  readonly isNew: boolean;
  readonly how: Diverted;
};

/**
 * Lets an email wait on the queue, with the same turn, until its mailbox or tenant may write to its recipients. The row says so and is
 * written once for each time; `beaten` when another invocation changed it.
 */
export const waitForDay = async (
  needs: Needs,
  mail: WaitingMail,
  { of, at, waitMs, dueAt }: Extract<LaneResult, { kind: 'day' }>,
): Promise<'done' | 'beaten'> => {
  const { envelope } = mail;
  const { mailId, contentHash, content } = envelope;
  if (!(await writeWaiting(needs, mail, { code: DAY_CODES[of] }, at))) return 'beaten';
  if (content === 'stored') await needs.payloads.keep(mailId, contentHash);
  const hiddenMs = Math.min(waitMs, LOOK_AGAIN_MS);
  await queueMail(needs, { ...envelope, dueAt }, hiddenMs);
  needs.log({ event: 'MailPaced', mailId, waitMs: hiddenMs });
  return 'done';
};

const writeWaiting = async (
  { ledger, clock }: Needs,
  { facts, entry, isNew, how }: WaitingMail,
  reason: { readonly code: (typeof DAY_CODES)[keyof typeof DAY_CODES] },
  until: Date,
): Promise<boolean> => {
  const now = clock.now();
  if (isNew) return (await ledger.create(limit(queueNew(facts, now, how), reason, until, now))) !== undefined;
  if (entry !== undefined && isIn(entry.row, 'deferred')) {
    const later = postpone(entry.row, reason, until, now);
    const { fate } = entry.row;
    if (fate.until === later.fate.until && fate.reason.code === later.fate.reason.code) return true;
    return (await ledger.replace(later, entry.etag)) !== undefined;
  }
  // Of one that is looked for, the row says that.
  if (entry === undefined || !isIn(entry.row, 'queued')) return true;
  const { limited } = entry.row.fate;
  if (limited?.until === until.toISOString() && limited.reason.code === reason.code) return true;
  return (await ledger.replace(limit(entry.row, reason, until, now), entry.etag)) !== undefined;
};
