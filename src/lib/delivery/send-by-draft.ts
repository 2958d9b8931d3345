import { defined } from '../defined.ts';
import type { DraftRecord } from '../ledger/ledger-row.ts';
import { recordDraft } from '../ledger/transitions.ts';
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
  forgetRemoved,
  type SendingEntry,
  settleEarlierDraft,
  writeDraft,
} from './draft-run.ts';
import { removeUnsent } from './sight-mail.ts';
import { isStorageFailure } from './storage-failure.ts';
import { timedReport } from './timed-report.ts';

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
    const earlier = await settleEarlierDraft(run);
    return end(earlier === 'settled' ? await attempt(run) : earlier);
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
  const { route } = run.entry.row.progress;
  const draft = { ...made, mailbox, ...defined({ route }), isSubmitted: false };
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

/**
 * Sends the draft once. "Still a draft" says nothing right after: transport takes what was sent some time later. So whatever
 * Graph did not refuse by name is unknown, unless the draft is no draft any more.
 */
const submit = async (run: DraftRun, draft: DraftRecord): Promise<SendOutcome> => {
  const { mailbox, id, route } = draft;
  const report = await withFreshToken(
    () => timedReport(run, () => run.drafts.send(mailbox, id)),
    (answer) => answer,
  );
  const outcome = decideSending(report, run.clock.now());
  if (outcome.kind === 'accepted') return outcome;
  if (outcome.kind === 'unknown') {
    if (report.kind !== 'answered') return outcome;
    return (await run.drafts.look(mailbox, id, route)).kind === 'found' ? { kind: 'accepted' } : outcome;
  }
  return report.kind === 'answered' ? removeRefused(run, outcome) : removeUnasked(run, draft, outcome);
};

/** Removes a draft that Graph refused to send, unless it is on its way all the same. */
const removeRefused = async (run: DraftRun, refused: SendOutcome): Promise<SendOutcome> => {
  const seen = await removeUnsent(run, run.entry.row);
  switch (seen.kind) {
    case 'found':
      return { kind: 'accepted' };
    case 'never-sent':
      await forgetRemoved(run);
      return refused;
    case 'cannot-tell':
      // The next attempt looks first.
      run.log({ event: 'DraftLeft', mailId: run.entry.row.facts.mailId });
      return refused;
    default:
      return { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
  }
};

/** Removes a draft that Graph was never asked to send. */
const removeUnasked = async (
  run: DraftRun,
  draft: DraftRecord,
  outcome: SendOutcome,
): Promise<SendOutcome> => {
  const { mailbox, id, route } = draft;
  if ((await run.drafts.remove(mailbox, id, route)) !== 'failed') await forgetRemoved(run);
  else {
    const unsent = recordDraft(run.entry.row, { ...draft, isSubmitted: false }, run.clock.now());
    run.entry = { ...run.entry, row: unsent };
    run.log({ event: 'DraftLeft', mailId: run.entry.row.facts.mailId });
  }
  return outcome;
};
