import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError, reasonOf, reportOf } from '../../../src/lib/errors.ts';
import { toPostmarkError } from '../../../src/lib/facades/postmark-error.ts';
import { remedyOf } from '../../../src/lib/facades/remedies.ts';
import { toRefusal } from '../../../src/lib/facades/resend-refusal.ts';
import { toErrors } from '../../../src/lib/facades/sendgrid-answer.ts';

const REQUEST = 'urn:uuid:3f0f9a52-1c1e-4a84-9d0e-2a9c70a1b2c3';
const problemOf = (code: ErrorCode, facts: object = {}) => ({
  status: catalogue[code].status,
  ...reportOf(reasonOf(new AppError(code, facts))),
  instance: REQUEST,
  id: '0198c0de-0000-7000-8000-000000000001',
});
type Problem = ReturnType<typeof problemOf>;

const TEXTS: readonly (readonly [provider: string, textOf: (problem: Problem) => string])[] = [
  [
    'SendGrid',
    (problem) => (toErrors(problem).json as { errors: { message: string }[] }).errors[0]?.message ?? '',
  ],
  [
    'Resend',
    (problem) => (toRefusal(problem, { method: 'POST', path: 'emails' }).json as { message: string }).message,
  ],
  ['Postmark', (problem) => toPostmarkError(problem).error.Message],
];

/** Errors of sending and of reading what became of an email, beside those that only the API of the relay or its own pages can have. */
const ELSEWHERE =
  /^(?:ATTACHMENT_|MIME_|LARGE_ATTACHMENTS|MAIL_KEY_IN_USE|MAIL_STILL|QUERY|NOTE|FORM|CALLER_INVALID|CALLER_CRED|CALLER_KEYS|CHANGED_BY|MESSAGE_UNREADABLE|CONNECTION_INVALID|BODY_TEXT_AND_HTML|HEADER_REMOVED)/;
const CODES = (Object.keys(catalogue) as ErrorCode[]).filter((code) => !ELSEWHERE.test(code));

describe.each(TEXTS)('an error in the form of %s', (_provider, textOf) => {
  test.each(CODES)('%s refers to nothing that the answer does not have', (code) => {
    const text = textOf(problemOf(code));
    expect(text).not.toMatch(
      /`(?:detail|problems|expected|received|instance|upstreamCode|graphRequestId|mails|sendAt|blob|cid|mime|ics|references|saveToSentItems|idempotencyKey)`/,
    );
    expect(text).not.toMatch(/x-functions-key|x-api-key|POST \/api\/mail|ISO 8601.*`sendAt`/);
    expect(text).toContain(code);
  });

  test('tells what Graph answered where it says to look it up, and by which ids the email is found', () => {
    const text = textOf(
      problemOf('GRAPH_REFUSED', { upstreamCode: 'ErrorCanaryCode', graphRequestId: 'canary-request' }),
    );
    expect(text).toContain(
      'Look up `ErrorCanaryCode`. If you ask Microsoft for help, quote `canary-request`.',
    );
    expect(text).toContain('email 0198c0de-0000-7000-8000-000000000001');
  });
});

test('what a remedy says is all said', () => {
  for (const code of Object.keys(catalogue) as ErrorCode[])
    for (const sentence of catalogue[code].remedy.split('. '))
      if (!sentence.includes('`') && remedyOf(code, { [code]: catalogue[code].remedy }) !== '')
        expect(remedyOf(code, { [code]: catalogue[code].remedy })).toContain(sentence);
});
