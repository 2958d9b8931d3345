import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import { isRowInGap } from '../ledger/ledger-gap.ts';
import { dueFrom, type InState, isFinal, isIn, isUntold, type LedgerRow } from '../ledger/ledger-row.ts';
import { recordFound, recordTold, seek } from '../ledger/transitions.ts';
import type { LedgerEntry } from '../ports.ts';
import { announce, announceWritten } from './announce.ts';
import { hold, type OpenRow } from './hold.ts';
import { readStored } from './read-content.ts';
import { removeUnsent, sightMail } from './sight-mail.ts';
import { ago, DAY_MS, forEach, isHourOf, type Part, type Run, type SweepNeeds } from './sweep-run.ts';

/** No message stays unseen longer: it is the longest a storage queue hides one. */
const MESSAGE_GONE_AFTER_MS = 7 * DAY_MS;

/** Attempts that a caller waited for and whose process died: they are looked for in the mailbox. Events that could not be told. */
export const sweepLost: Part = async (needs, run) => {
  // By then Sent Items have had the time they are given.
  const before = ago(needs, needs.policy.sendingLimitMs + needs.policy.verifyWindowMs);
  const attempts = needs.ledger.listOpen('attempt', before, run.turn, run.isOver);
  await forEachOpen(needs, run, attempts, before, async ({ row, etag }) => {
    if (isIn(row, 'sending') && (await resolveLost(needs, { row, etag }))) run.counts.lost += 1;
    else if (isChangedBefore(row, ago(needs, needs.policy.giveUpAfterMs)))
      await tellOfOverdue(needs, run, { row, etag });
  });
};

/** After this, an event says nothing that a system still waits for. Longer than an outage of storage, or a deployment that is missing. */
const EVENT_LOST_AFTER_MS = 7 * DAY_MS;

/** Tells an event that could not be told as its email ended; in the end, says that it is lost. */
const tellUntold = async (needs: SweepNeeds, entry: LedgerEntry): Promise<void> => {
  const told = await announceWritten(needs, entry);
  if (!isUntold(told) || !isChangedBefore(told, ago(needs, EVENT_LOST_AFTER_MS))) return;
  if ((await needs.ledger.replace(recordTold(told), entry.etag)) === undefined) return;
  needs.log({ event: 'EventLost', mailId: told.facts.mailId, state: told.fate.state });
};

/** Emails whose messages have not come for too long. */
export const sweepOverdue: Part = async (needs, run) => {
  const before = ago(needs, needs.policy.giveUpAfterMs);
  const open = needs.ledger.listOpen('open', before, run.turn, run.isOver);
  await forEachOpen(needs, run, open, before, (entry) => tellOfOverdue(needs, run, entry));
};

/** At first only tells of an email that waits too long, as its message may stand in a long queue; holds it in the end. */
const tellOfOverdue = async (
  needs: SweepNeeds,
  { counts, turn }: Run,
  { row, etag }: LedgerEntry<OpenRow>,
): Promise<void> => {
  const isDoubted = isRowInGap(row, (await needs.readIdentity()).gap);
  // Its message does not come: perhaps because it was sent. Each is looked for once a day, and not all in the same hour.
  if (isDoubted && isHourOf(row.facts.mailId, turn) && (await seekSent(needs, { row, etag })) === 'sent') {
    counts.lost += 1;
    return;
  }
  needs.log({ event: 'MailOverdue', mailId: row.facts.mailId, state: row.fate.state });
  counts.overdue += 1;
  if (!isChangedBefore(row, ago(needs, MESSAGE_GONE_AFTER_MS))) return;
  const order = isDoubted
    ? inDoubt()
    : isIn(row, 'queued', 'deferred')
      ? ({ why: 'lost-message', reason: new AppError('MAIL_LOST') } as const)
      : ({ why: 'lost-attempt', reason: new AppError('ATTEMPT_LOST') } as const);
  const held = await hold(needs, { row, etag }, { ...order, original: await readStored(needs, row.facts) });
  if (held !== undefined && !isDoubted) await removeUnsubmitted(needs, row);
};

const UNSEEN =
  'The ledger was restored from a backup, and nothing continues this email. The relay has not found it in the mailbox of the sender, which is no proof. Before you replay it, look in the log for MailCanceled and MailClosed with its ID: it may have been canceled or closed after the backup.';

/** Why an email is held that was there when the ledger was restored: nobody can say that it was not sent. */
const inDoubt = () =>
  ({ why: 'doubt', reason: new AppError('OUTCOME_UNKNOWN', { detail: UNSEEN }) }) as const;

/** Records that an email was sent after the backup from which the ledger was restored, where its mailbox shows that. */
const seekSent = async (
  needs: SweepNeeds,
  { row, etag }: LedgerEntry<OpenRow>,
): Promise<'sent' | 'not-now' | 'unseen'> => {
  const now = needs.clock.now();
  const sought = seek(row, row.progress.turn, now, undefined);
  const seen = await sightMail(needs, sought);
  if (seen.kind !== 'found') return seen.kind === 'not-now' ? 'not-now' : 'unseen';
  const { internetMessageId } = seen;
  const found = recordFound(sought, now, defined({ internetMessageId }));
  await needs.watchSender?.(found);
  return (await needs.ledger.replace(await announce(needs, found), etag)) === undefined ? 'not-now' : 'sent';
};

/** The sweep of drafts does not know every mailbox; the row that ends here knows where its draft is. */
const removeUnsubmitted = async (needs: SweepNeeds, { facts, progress }: OpenRow): Promise<void> => {
  const { draft } = progress;
  if (draft === undefined || draft.isSubmitted) return;
  if ((await needs.drafts.remove(draft.mailbox, draft.id, draft.route)) === 'failed')
    needs.log({ event: 'DraftLeft', mailId: facts.mailId });
};

/** Nothing is expected to change a row before its email is due. One that has ended is not due any more, whenever it was to be sent. */
const isChangedBefore = (row: LedgerRow, time: Date): boolean => {
  const updatedAt = Date.parse(row.progress.updatedAt);
  return (isFinal(row) ? updatedAt : Math.max(updatedAt, Date.parse(dueFrom(row)))) < time.getTime();
};

/** Does something for each of these emails that is still as it was listed: not ended, or ended untold, and unchanged since `before`. */
const forEachOpen = (
  needs: SweepNeeds,
  run: Run,
  mailIds: AsyncIterable<string>,
  before: Date,
  sweep: (entry: LedgerEntry<OpenRow>) => Promise<void>,
): Promise<void> =>
  forEach(needs, run, mailIds, {
    mailIdOf: (mailId) => mailId,
    sweep: async (mailId) => {
      const entry = await needs.ledger.find(mailId);
      if (entry === undefined || !isChangedBefore(entry.row, before)) return;
      const { row, etag } = entry;
      if (isUntold(row)) await tellUntold(needs, entry);
      else if (!isFinal(row)) await sweep({ row, etag });
    },
  });

/** The caller got no answer and only he had the email: it is found in the mailbox, or held without its content. */
const resolveLost = async (
  needs: SweepNeeds,
  { row, etag }: LedgerEntry<InState<'sending'>>,
): Promise<boolean> => {
  if (isRowInGap(row, (await needs.readIdentity()).gap)) return resolveDoubted(needs, { row, etag });
  const { leavesCopy } = row.facts;
  const { way = 'json' } = row.progress;
  const seen = await sightMail(needs, row);
  const sighting = seen.kind === 'draft' ? await removeUnsent(needs, row) : seen;
  if (sighting.kind === 'not-now') return false;
  if (sighting.kind !== 'found') {
    const isUnsent =
      sighting.kind === 'never-sent' || (sighting.kind === 'absent' && way === 'json' && leavesCopy);
    const reason = new AppError(isUnsent ? 'MAIL_LOST' : 'OUTCOME_UNKNOWN');
    const why = isUnsent ? 'lost-message' : 'doubt';
    const held = await hold(needs, { row, etag }, { why, reason, original: undefined });
    if (held !== undefined) await removeUnsubmitted(needs, row);
    return held !== undefined;
  }
  const now = needs.clock.now();
  const attempt = { at: now.toISOString(), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
  const { internetMessageId } = sighting;
  const found = recordFound(row, now, { attempt, ...defined({ internetMessageId }) });
  await needs.watchSender?.(found);
  return (await needs.ledger.replace(await announce(needs, found), etag)) !== undefined;
};

/** The same where the ledger was restored since: a draft that it knows can have been sent, and another one made. */
const resolveDoubted = async (
  needs: SweepNeeds,
  entry: LedgerEntry<InState<'sending'>>,
): Promise<boolean> => {
  const sought = await seekSent(needs, entry);
  if (sought !== 'unseen') return sought === 'sent';
  return (await hold(needs, entry, { ...inDoubt(), original: undefined })) !== undefined;
};
