import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideOutcome, type SendReport } from '../../../src/lib/sending/send-outcome.ts';

const now = new Date('2026-11-22T07:00:00Z');

const answered = (status: number, upstreamCode?: string, retryAfter?: string): SendReport => ({
  kind: 'answered',
  status,
  ...(upstreamCode === undefined ? {} : { upstreamCode }),
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

const decide = (report: SendReport) => {
  const outcome = decideOutcome(report, now);
  return [
    outcome.kind,
    'code' in outcome ? outcome.code : '',
    outcome.kind === 'not-sent' ? (outcome.waitMs ?? '') : '',
  ]
    .join(' ')
    .trim();
};

describe('only an exact 202 is accepted', () => {
  test.each([
    ['202', answered(202), 'accepted'],
    ['202 with a Retry-After beside it', answered(202, undefined, '5'), 'accepted'],
    ['200', answered(200), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['201', answered(201), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['204', answered(204), 'rejected GRAPH_ANSWER_UNEXPECTED'],
    ['a redirect', answered(307), 'rejected GRAPH_ANSWER_UNEXPECTED'],
  ])('%s', (_, report, expected) => {
    expect(decide(report)).toBe(expected);
  });
});

describe('what cannot have been sent waits for another try', () => {
  test.each([
    ['429 with seconds', answered(429, 'ApplicationThrottled', '2.5'), 'not-sent GRAPH_THROTTLED 2500'],
    ['429 without', answered(429), 'not-sent GRAPH_THROTTLED'],
    ['429 with rubbish', answered(429, undefined, 'later'), 'not-sent GRAPH_THROTTLED'],
    ['503', answered(503, 'ErrorServerBusy', '10'), 'not-sent GRAPH_UNAVAILABLE 10000'],
    ['a refused token', answered(401, 'InvalidAuthenticationToken'), 'not-sent GRAPH_TOKEN_NOT_ACCEPTED'],
    [
      'a daily limit',
      answered(400, 'ErrorSubmissionQuotaExceeded'),
      'not-sent MAILBOX_QUOTA_REACHED 3600000',
    ],
    ['no connection', { kind: 'not-connected' } as const, 'not-sent GRAPH_UNREACHABLE'],
    [
      'no token',
      { kind: 'no-token', code: 'CLIENT_SECRET_EXPIRED' } as const,
      'not-sent CLIENT_SECRET_EXPIRED',
    ],
    [
      'no token for a while',
      { kind: 'no-token', code: 'ENTRA_UNREACHABLE', retryAfter: '4' } as const,
      'not-sent ENTRA_UNREACHABLE 4000',
    ],
  ])('%s', (_, report, expected) => {
    expect(decide(report)).toBe(expected);
  });
});

describe('what may have been sent although no good answer came is unknown', () => {
  test.each([
    ['500', answered(500, 'ErrorInternalServerError')],
    ['502', answered(502)],
    ['504', answered(504, 'UnknownError', '1')],
    ['408', answered(408)],
    ['a time-out', { kind: 'lost', why: 'timeout' } as const],
    ['a reset', { kind: 'lost', why: 'connection' } as const],
  ])('%s', (_, report) => {
    expect(decide(report)).toBe('unknown OUTCOME_UNKNOWN');
  });
});

describe('a refusal says why', () => {
  test.each([
    [403, 'ErrorAccessDenied', 'MAILBOX_OUT_OF_SCOPE'],
    [403, 'Authorization_RequestDenied', 'PERMISSION_NOT_GRANTED'],
    [403, 'ErrorSendAsDenied', 'SEND_AS_DENIED'],
    [404, 'MailboxNotEnabledForRESTAPI', 'MAILBOX_NOT_FOUND'],
    [404, 'ResourceNotFound', 'MAILBOX_NOT_FOUND'],
    [404, 'ErrorInvalidUser', 'MAILBOX_NOT_FOUND'],
    [400, 'ErrorInvalidRecipients', 'RECIPIENT_REFUSED'],
    [400, 'ErrorMessageSizeExceeded', 'MAIL_TOO_LARGE_FOR_MAILBOX'],
    [413, undefined, 'MAIL_TOO_LARGE_FOR_MAILBOX'],
    [400, 'ErrorQuotaExceeded', 'MAILBOX_FULL'],
    [507, undefined, 'MAILBOX_FULL'],
    [400, 'SomethingNew', 'GRAPH_REFUSED'],
    [404, 'toString', 'GRAPH_REFUSED'],
    [418, undefined, 'GRAPH_REFUSED'],
  ])('%i %s is %s', (status, upstreamCode, code) => {
    expect(decide(answered(status, upstreamCode))).toBe(`rejected ${code}`);
  });

  test('a request longer than Graph reads is told by its message', () => {
    expect(decide({ kind: 'answered', status: 400, tooLarge: true })).toBe(
      'rejected MAIL_TOO_LARGE_FOR_MAILBOX',
    );
  });

  test('the request id of Graph is kept for whoever asks Microsoft', () => {
    expect(decideOutcome({ kind: 'answered', status: 403, graphRequestId: 'r-1' }, now)).toMatchObject({
      graphRequestId: 'r-1',
    });
  });
});

test('no status but 202 is ever accepted, and no 5xx but 503, 507 and 509 is ever retried or refused', () => {
  const codes = fc.option(fc.constantFrom('ErrorServerBusy', 'UnknownError', 'ErrorAccessDenied'), {
    nil: undefined,
  });
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), codes, (status, code) => {
      const { kind } = decideOutcome(answered(status, code), now);
      expect(kind === 'accepted').toBe(status === 202);
      if (status >= 500 && ![503, 507, 509].includes(status)) expect(kind).toBe('unknown');
    }),
  );
});
