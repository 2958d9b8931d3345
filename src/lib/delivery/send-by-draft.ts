import type { DraftRecord } from '../ledger/ledger-row.ts';
import { decideSending } from '../sending/draft-stage.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import type { DraftPlan } from '../sending/send-plan.ts';
import { addFiles } from './add-files.ts';
import { mustBeDone, requireDone, Unfinished, unfinished, withFreshToken } from './draft-request.ts';
import {
  type AttemptResult,
  afterStorageFailure,
  Beaten,
  type DraftNeeds,
  type DraftRun,
  discardMade,
  removeDraft,
  type SendingEntry,
  settleEarlierDraft,
  writeDraft,
} from './draft-run.ts';
import { isStorageFailure } from './storage-failure.ts';

/**
 * Sends an email as a draft: makes it, adds its files, and sends it. The ledger has the draft's id before anything else is
 * done with it, and that its sending begins before it begins. Whoever finds the row of an attempt that died therefore knows
 * whether the draft can have been sent, and by its id whether it was. Files are begun until `until`.
 */
export const sendByDraft = (
  needs: DraftNeeds,
  plan: DraftPlan,
  claimed: SendingEntry,
  until: Date,
): Promise<AttemptResult> =>
  afterEarlierDraft(needs, claimed, async (run) => {
    const draft = await makeDraft(run, plan);
    await addFiles(run, { mailbox: draft.mailbox, draftId: draft.id, until }, plan.files);
    const submitted = { ...draft, isSubmitted: true };
    await writeDraft(run, submitted);
    run.made = submitted;
    return submit(run, submitted);
  });

/**
 * Makes an attempt once nothing of an earlier draft can be sent any more. What stops it before its sending was not sent, and
 * what it has made is removed.
 */
export const afterEarlierDraft = async (
  needs: DraftNeeds,
  claimed: SendingEntry,
  attempt: (run: DraftRun) => Promise<SendOutcome>,
): Promise<AttemptResult> => {
  const run: DraftRun = { ...needs, entry: claimed };
  const end = (outcome: SendOutcome): AttemptResult => ({ kind: 'ended', ...run.entry, outcome });
  try {
    if ((await settleEarlierDraft(run)) === 'sent') return end({ kind: 'accepted' });
    return end(await attempt(run));
  } catch (thrown) {
    if (isStorageFailure(thrown)) return afterStorageFailure(run);
    if (!(thrown instanceof Unfinished || thrown instanceof Beaten)) throw thrown;
    await discardMade(run);
    return thrown instanceof Unfinished ? end(thrown.outcome) : { kind: 'beaten' };
  }
};

const makeDraft = async (run: DraftRun, { mailbox, message }: DraftPlan): Promise<DraftRecord> => {
  const { report, draft: made } = await withFreshToken(
    () => run.drafts.create(mailbox, message),
    (answer) => answer.report,
  );
  requireDone(run.clock.now(), 'create', report);
  if (made === undefined) throw unfinished('Graph made a draft and did not say which.');
  const draft = { ...made, mailbox, isSubmitted: false };
  run.made = draft;
  await writeDraft(run, draft);
  if (message.contentType === 'text/plain') await mark(run, draft);
  return draft;
};

/** A property that Graph refuses is missed only by who looks for the draft without its id. */
const mark = async (run: DraftRun, { mailbox, id }: DraftRecord): Promise<void> => {
  const { mailId } = run.entry.row.facts;
  try {
    await mustBeDone(run, 'mark', () => run.drafts.mark(mailbox, id, mailId));
  } catch (thrown) {
    if (!(thrown instanceof Unfinished) || thrown.outcome.kind !== 'rejected') throw thrown;
  }
};

/** Sends the draft once. Where Graph says that it did not, the draft says whether that is true. */
const submit = async (run: DraftRun, draft: DraftRecord): Promise<SendOutcome> => {
  const { mailbox, id } = draft;
  const report = await withFreshToken(
    () => run.drafts.send(mailbox, id),
    (answer) => answer,
  );
  const outcome = decideSending(report, run.clock.now());
  if (outcome.kind !== 'not-sent' && outcome.kind !== 'rejected') return outcome;
  const seen = await run.drafts.look(mailbox, id);
  switch (seen.kind) {
    case 'draft':
      await removeDraft(run, draft);
      return outcome;
    case 'found':
      return { kind: 'accepted' };
    case 'absent':
      return { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
    default:
      // The next attempt looks first.
      run.log({ event: 'DraftLeft', mailId: run.entry.row.facts.mailId });
      return outcome;
  }
};
