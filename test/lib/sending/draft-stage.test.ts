import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DraftStage,
  decideLost,
  decideSending,
  decideStage,
} from '../../../src/lib/sending/draft-stage.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const STAGES: readonly DraftStage[] = ['create', 'mark', 'attach', 'open-upload', 'upload'];

const answered = (status: number, upstreamCode?: string): SendReport => ({
  kind: 'answered',
  status,
  ...(upstreamCode === undefined ? {} : { upstreamCode }),
});
const LOST: SendReport = { kind: 'lost', why: 'timeout' };

const told = (decided: ReturnType<typeof decideStage>) =>
  decided === 'done' ? decided : `${decided.kind} ${decided.code}`;

describe('before a draft is sent', () => {
  test.each<[DraftStage, SendReport, string]>([
    ['create', answered(201), 'done'],
    ['create', answered(200), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['create', answered(202), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['create', answered(403, 'ErrorAccessDenied'), 'rejected DRAFTS_NOT_ALLOWED'],
    ['create', answered(403, 'Authorization_RequestDenied'), 'rejected DRAFTS_NOT_ALLOWED'],
    ['create', answered(403), 'rejected DRAFTS_NOT_ALLOWED'],
    ['create', answered(403, 'ErrorSendAsDenied'), 'rejected SEND_AS_DENIED'],
    ['create', answered(404, 'ErrorInvalidUser'), 'rejected MAILBOX_NOT_FOUND'],
    ['create', LOST, 'not-sent DRAFT_UNFINISHED'],
    ['create', answered(500), 'not-sent DRAFT_UNFINISHED'],
    ['create', answered(504), 'not-sent DRAFT_UNFINISHED'],
    ['create', answered(429), 'not-sent GRAPH_THROTTLED'],
    ['create', { kind: 'no-token', code: 'CLIENT_SECRET_EXPIRED' }, 'not-sent CLIENT_SECRET_EXPIRED'],
    ['mark', answered(200), 'done'],
    ['mark', answered(400), 'rejected GRAPH_REFUSED'],
    ['attach', answered(201), 'done'],
    ['attach', answered(200), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['attach', answered(404, 'ErrorItemNotFound'), 'not-sent DRAFT_UNFINISHED'],
    ['attach', answered(400, 'ErrorMessageSizeExceeded'), 'rejected MAIL_TOO_LARGE_FOR_MAILBOX'],
    ['attach', LOST, 'not-sent DRAFT_UNFINISHED'],
    ['open-upload', answered(201), 'done'],
    ['open-upload', answered(404, 'ErrorItemNotFound'), 'not-sent DRAFT_UNFINISHED'],
    ['open-upload', answered(403), 'rejected DRAFTS_NOT_ALLOWED'],
    ['upload', answered(200), 'done'],
    ['upload', answered(201), 'done'],
    ['upload', answered(413), 'rejected MAIL_TOO_LARGE_FOR_MAILBOX'],
    ['upload', LOST, 'not-sent DRAFT_UNFINISHED'],
    ['upload', answered(503), 'not-sent GRAPH_UNAVAILABLE'],
  ])('%s, %o: %s', (stage, report, expected) => {
    expect(told(decideStage(stage, report, NOW))).toBe(expected);
  });

  test('no answer and no silence makes it unknown or sent', () => {
    const report = fc.oneof(
      fc.integer({ min: 100, max: 599 }).map((status) => answered(status)),
      fc.constant(LOST),
      fc.constant<SendReport>({ kind: 'not-connected' }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...STAGES), report, (stage, seen) => {
        const decided = decideStage(stage, seen, NOW);
        if (decided !== 'done') expect(['rejected', 'not-sent']).toContain(decided.kind);
      }),
    );
  });
});

describe('the sending of a draft', () => {
  test.each<[SendReport, string]>([
    [answered(202), 'accepted'],
    [{ kind: 'not-connected' }, 'not-sent'],
    [{ kind: 'no-token', code: 'ENTRA_UNREACHABLE' }, 'not-sent'],
    [answered(401), 'not-sent'],
    [answered(403, 'ErrorSubmissionQuotaExceeded'), 'not-sent'],
    [answered(400, 'ErrorInvalidRecipients'), 'rejected'],
    [answered(400, 'ErrorMessageSizeExceeded'), 'rejected'],
    [answered(403, 'ErrorAccessDenied'), 'rejected'],
    [answered(403, 'ErrorSendAsDenied'), 'rejected'],
    [answered(413), 'rejected'],
    [answered(507), 'rejected'],
    [LOST, 'unknown'],
    ...[200, 204, 302, 408, 409, 410, 412, 423, 425, 429, 500, 502, 503, 504, 509].map(
      (status): [SendReport, string] => [answered(status), 'unknown'],
    ),
    // It can be gone because it was sent.
    [answered(404, 'ErrorItemNotFound'), 'unknown'],
  ])('%o: %s', (report, expected) => {
    expect(decideSending(report, NOW).kind).toBe(expected);
  });

  test('that is throttled is unknown, and says for how long its mailbox is to be left alone', () => {
    const throttled = { ...answered(429), retryAfter: '30' } as SendReport;
    expect(decideSending(throttled, NOW)).toMatchObject({ kind: 'unknown', waitMs: 30_000 });
    expect(decideSending(answered(429), NOW)).toMatchObject({ kind: 'unknown', waitMs: 0 });
    expect(decideSending(answered(503), NOW)).not.toHaveProperty('waitMs');
  });
});

test.each<[string, Parameters<typeof decideLost>[0], string]>([
  ['in JSON', { way: 'json' }, 'unknown'],
  ['in a way that an earlier version did not write down', {}, 'unknown'],
  ['as MIME', { way: 'mime' }, 'unknown'],
  ['as a draft that nobody wrote down', { way: 'draft' }, 'not-sent'],
  ['as a draft whose sending had not begun', { way: 'draft', draft: { isSubmitted: false } }, 'not-sent'],
  ['as a draft whose sending may have begun', { way: 'draft', draft: { isSubmitted: true } }, 'unknown'],
])('an attempt %s whose process died: %o, %s', (_case, progress, expected) => {
  expect(decideLost(progress).kind).toBe(expected);
});
