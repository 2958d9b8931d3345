import { attemptsOf, type DraftRecord, type InState, type LedgerRow } from '../ledger/ledger-row.ts';
import { recordDraft } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { removeUnsent, sightMail } from './sight-mail.ts';
import { isStorageFailure } from './storage-failure.ts';

export type DraftNeeds = Pick<Ports, 'mailboxes' | 'drafts' | 'attachments' | 'ledger' | 'clock' | 'log'> & {
  readonly policy: Pick<SendPolicy, 'verifyWindowMs'>;
};

export type SendingEntry = LedgerEntry<InState<'sending'>>;

/** How an attempt ended, with the row as it is then; `beaten` when another invocation took the row: nothing was sent here. */
export type AttemptResult =
  | { readonly kind: 'beaten' }
  | ({ readonly kind: 'ended'; readonly outcome: SendOutcome } & SendingEntry);

/** One attempt under way. */
export type DraftRun = DraftNeeds & {
  /** The row as it was last written. */
  entry: SendingEntry;
  /** What this attempt made, whether the ledger knows it yet or not. */
  made?: DraftRecord;
};

/** Another invocation has taken the row: nothing may be sent here. */
export class Beaten extends Error {
  override readonly name = 'Beaten';
}

/** Writes down what is known of the draft. Throws Beaten. */
export const writeDraft = async (run: DraftRun, draft: DraftRecord | undefined): Promise<void> => {
  const written = await run.ledger.replace(
    recordDraft(run.entry.row, draft, run.clock.now()),
    run.entry.etag,
  );
  if (written === undefined) throw new Beaten('another invocation has the row');
  run.entry = written;
};

/** Goes on as if the row knew of no draft; whatever is written next says so. */
const forgetDraft = (run: DraftRun): void => {
  delete run.made;
  run.entry = { ...run.entry, row: recordDraft(run.entry.row, undefined, run.clock.now()) };
};

/**
 * Writes down that a draft is removed: who finds the row of an attempt that died after this must not look for it. Storage that
 * fails changes nothing of what is known here. Throws Beaten.
 */
export const forgetRemoved = async (run: DraftRun): Promise<void> => {
  delete run.made;
  try {
    await writeDraft(run, undefined);
  } catch (thrown) {
    if (!isStorageFailure(thrown)) throw thrown;
    forgetDraft(run);
  }
};

/** Removes a draft that was not sent. One that stays is logged, and the sweep removes it. */
const removeDraft = async (run: DraftRun, { mailbox, id, route }: DraftRecord): Promise<void> => {
  if ((await run.drafts.remove(mailbox, id, route)) !== 'failed') forgetDraft(run);
  else run.log({ event: 'DraftLeft', mailId: run.entry.row.facts.mailId });
};

/** Removes what this attempt has made and not begun to send. */
export const discardMade = async (run: DraftRun): Promise<void> => {
  if (run.made !== undefined && !run.made.isSubmitted) await removeDraft(run, run.made);
};

/** What came of an earlier attempt: nothing of it can be sent any more, or the email need not, or may not, be sent again. */
type Settled = 'settled' | Extract<SendOutcome, { readonly kind: 'accepted' | 'unknown' }>;

/**
 * Removes what an earlier attempt has left. A draft whose sending had begun must be gone before the email is sent again; if it
 * was sent after all, so is the email. One that nobody knows by its id, because the answer was lost, was never sent. Throws
 * Beaten.
 */
export const settleEarlierDraft = async (run: DraftRun): Promise<Settled> => {
  const { facts, progress } = run.entry.row;
  const { draft, attempts } = progress;
  if (draft?.isSubmitted) return settleSubmitted(run);
  if (draft !== undefined) {
    await removeDraft(run, draft);
    forgetDraft(run);
  } else if (attempts.at(-1)?.code === 'DRAFT_UNFINISHED')
    for (const { id } of (await run.drafts.listOf(facts.sender, facts.mailId)) ?? [])
      await run.drafts.remove(facts.sender, id, progress.route);
  return 'settled';
};

/**
 * Looks before it removes: by its immutable id the copy in Sent Items would be removed as well. What is still a draft within
 * the time of the look-ups, or is gone without a copy, says nothing: its look-ups go on, by its id.
 */
const settleSubmitted = async (run: DraftRun): Promise<Settled> => {
  const row = rowOfDraft(run.entry.row);
  const seen = await sightMail(run, row);
  const settled = seen.kind === 'draft' && !isRecent(run, row) ? await removeUnsent(run, row) : seen;
  if (settled.kind === 'found') return { kind: 'accepted' };
  if (settled.kind === 'never-sent' || (settled.kind === 'absent' && isAskedForAgain(row))) {
    await forgetRemoved(run);
    return 'settled';
  }
  run.entry = { ...run.entry, row };
  return { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
};

/** The row as of the attempt that made the draft, however this one goes. */
const rowOfDraft = (row: InState<'sending'>): InState<'sending'> => ({
  ...row,
  progress: { ...row.progress, way: 'draft' },
});

/** Transport may still take what was submitted so short a time ago. */
const isRecent = ({ clock, policy }: DraftRun, { progress }: LedgerRow): boolean => {
  const doubt = progress.attempts.findLast(({ outcome }) => outcome === 'unknown');
  return doubt !== undefined && clock.now().getTime() - Date.parse(doubt.at) < policy.verifyWindowMs;
};

/** After the attempt an operator, or its caller, had the email sent again: they know that no copy is there. */
const isAskedForAgain = ({ progress: { replayedAt, attempts } }: LedgerRow): boolean =>
  replayedAt !== undefined && replayedAt >= (attempts.at(-1)?.at ?? '');

/**
 * Storage failed, and nothing was sent. The write may have happened all the same: the row is read again, as without its version
 * nothing could be written that ends the attempt. A draft whose row may say that its sending began stays for the next attempt:
 * were it gone, a look-up could not tell that from one that was sent.
 */
export const afterStorageFailure = async (run: DraftRun): Promise<AttemptResult> => {
  const outcome = { kind: 'not-sent', code: 'STORAGE_UNAVAILABLE' } as const;
  const current = await run.ledger.find(run.entry.row.facts.mailId).catch(() => undefined);
  if (current === undefined) return { kind: 'ended', ...run.entry, outcome };
  if (!isSameAttempt(run.entry, current)) {
    await discardMade(run);
    return { kind: 'beaten' };
  }
  const draft = current.row.progress.draft ?? run.made;
  run.entry = { ...current, row: recordDraft(current.row, draft, run.clock.now()) };
  if (!draft?.isSubmitted) await discardMade(run);
  return { kind: 'ended', ...run.entry, outcome };
};

const isSameAttempt = (mine: SendingEntry, current: LedgerEntry): current is SendingEntry =>
  current.row.fate.state === 'sending' &&
  current.row.progress.turn === mine.row.progress.turn &&
  attemptsOf(current.row) === attemptsOf(mine.row);
