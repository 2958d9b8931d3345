import { defined } from '../defined.ts';
import { answerFacts, decideOutcome, type SendOutcome, type SendReport } from './send-outcome.ts';

/** What is done to a draft before it is sent. */
export type DraftStage = 'create' | 'mark' | 'attach' | 'open-upload' | 'upload';

/** Why a draft was not finished. It was not sent, whatever else is unknown. */
export type NotFinished = Extract<SendOutcome, { readonly kind: 'rejected' | 'not-sent' }>;

/** The answers that say it is done (graph: user-post-messages, message-update, message-post-attachments, attachment-createUploadSession). */
const DONE: Readonly<Record<DraftStage, readonly number[]>> = {
  create: [201],
  mark: [200],
  attach: [201],
  'open-upload': [201, 200],
  // 200 says that more is expected, 201 that the file is attached.
  upload: [201, 200],
};

/** Refusals by which Exchange says that drafts are not allowed; Graph says 403 for them. */
const NOT_ALLOWED = new Set(['MAILBOX_OUT_OF_SCOPE', 'PERMISSION_NOT_GRANTED', 'GRAPH_REFUSED']);

/**
 * Decides what an answer means before the draft is sent. Nothing here is unknown: what nobody knows of a draft that was not
 * sent is still not sent.
 */
export const decideStage = (stage: DraftStage, report: SendReport, now: Date): 'done' | NotFinished => {
  const status = report.kind === 'answered' ? report.status : 0;
  if (DONE[stage].includes(status)) return 'done';
  const outcome = decideOutcome(report, now);
  switch (outcome.kind) {
    case 'accepted':
      return { ...outcome, kind: 'rejected', code: 'GRAPH_ANSWER_UNEXPECTED' };
    case 'unknown':
      return { ...outcome, kind: 'not-sent', code: 'DRAFT_UNFINISHED' };
    case 'not-sent':
      return outcome;
    case 'rejected':
      if (status === 403 && NOT_ALLOWED.has(outcome.code)) return { ...outcome, code: 'DRAFTS_NOT_ALLOWED' };
      // The mailbox is there, as the draft is of it: another server of Exchange does not know it yet, or somebody deleted it.
      if (status === 404 && stage !== 'create')
        return { ...outcome, kind: 'not-sent', code: 'DRAFT_UNFINISHED' };
      return outcome;
  }
};

/** Answers of 4xx that a draft can have because its sending is under way, or done. */
const UNDER_WAY = new Set([404, 408, 409, 410, 412, 423, 425, 429]);

/**
 * Decides what the answer to the sending of a draft means. Unlike sendMail, a draft can be looked at by its id, so only what
 * Graph refuses by name, or certainly did not begin, counts as not sent. Graph has said 429 and 503 for what it sent
 * (https://learn.microsoft.com/answers/questions/5629476); a draft that is not there may be gone because it was sent.
 */
export const decideSending = (report: SendReport, now: Date): SendOutcome => {
  const outcome = decideOutcome(report, now);
  if (report.kind !== 'answered' || outcome.kind === 'accepted' || isRefusal(report.status, outcome))
    return outcome;
  const pause = outcome.kind === 'not-sent' ? outcome.waitMs : undefined;
  const waitMs = report.status === 429 ? (pause ?? 0) : undefined;
  return { kind: 'unknown', code: 'OUTCOME_UNKNOWN', ...answerFacts(outcome), ...defined({ waitMs }) };
};

const isRefusal = (status: number, { kind, ...outcome }: SendOutcome): boolean => {
  if (kind === 'not-sent') {
    const { code } = outcome as NotFinished;
    return code === 'MAILBOX_QUOTA_REACHED' || code === 'GRAPH_TOKEN_NOT_ACCEPTED';
  }
  return kind === 'rejected' && (status === 507 || (status >= 400 && !UNDER_WAY.has(status)));
};

/** What came of an attempt whose process ended before anybody wrote that down. */
export const decideLost = ({
  way,
  draft,
}: {
  readonly way?: string;
  readonly draft?: { readonly isSubmitted: boolean };
}): SendOutcome =>
  way === 'draft' && draft?.isSubmitted !== true
    ? { kind: 'not-sent', code: 'DRAFT_UNFINISHED' }
    : { kind: 'unknown', code: 'OUTCOME_UNKNOWN' };
