import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { toAccepted } from '../../../src/lib/facades/postmark-answer.ts';
import { readCall } from '../../../src/lib/facades/postmark-calls.ts';
import { toPostmarkError } from '../../../src/lib/facades/postmark-error.ts';
import { toMessageDetails, toServer } from '../../../src/lib/facades/postmark-message.ts';

const errorOf = (code: ErrorCode, more: object = {}) => {
  const { status, title, remedy } = catalogue[code];
  return toPostmarkError({ status, code, title, remedy, ...more });
};

describe('an error', () => {
  test.each(Object.keys(catalogue) as ErrorCode[])(
    '%s has a status and a number that Postmark has',
    (code) => {
      const { status, error } = errorOf(code);
      expect([401, 404, 413, 422, 429, 500, 503]).toContain(status);
      // Clients read addresses out of 406, and take 0 for a success.
      expect([0, 406]).not.toContain(error.ErrorCode);
      // Anymail reads addresses out of texts that begin like this.
      expect(error.Message).not.toMatch(/^(?:Invalid|Error\s+parsing)\s+'/i);
      expect(error.Message).toContain(`(${code})`);
      // What the application must change is never answered with what it would send again.
      if (catalogue[code].fixedBy === 'caller' && catalogue[code].status < 500)
        expect(status).toBeLessThan(500);
    },
  );

  test.each<[ErrorCode, number, number]>([
    ['KEY_NOT_ACCEPTED', 401, 10],
    ['CALLER_DISABLED', 422, 413],
    ['SENDER_NOT_ALLOWED', 422, 400],
    ['SEND_AS_DENIED', 422, 401],
    ['RECIPIENT_NOT_ALLOWED', 422, 405],
    ['RECIPIENT_REFUSED', 422, 300],
    ['JSON_UNREADABLE', 422, 402],
    ['CONTENT_TYPE_UNSUPPORTED', 422, 409],
    ['MAIL_TOO_LARGE', 413, 300],
    ['CALLER_LIMIT_REACHED', 429, 429],
    ['MAIL_DISABLED', 503, 100],
    ['MAIL_NOT_STORED', 503, 100],
    ['CLIENT_SECRET_EXPIRED', 500, 500],
    ['MAIL_UNDER_WAY', 429, 429],
    ['MAIL_NOT_FOUND', 404, 701],
  ])('%s is %i with ErrorCode %i', (code, status, number) => {
    expect(errorOf(code)).toMatchObject({ status, error: { ErrorCode: number } });
  });

  test('says what was expected at which field, what to do, and what to quote when asking for help', () => {
    const problem = {
      code: 'BODY_MISSING',
      pointer: 'TextBody',
      expected: 'TextBody or HtmlBody',
      received: 'nothing',
    };
    const { error } = errorOf('BODY_MISSING', {
      problems: [problem],
      instance: 'urn:uuid:6b0f7f1e-3f25-4f9b-8d8b-0a1b2c3d4e5f',
      id: '01890000-0000-7000-8000-000000000000',
    });
    expect(error.Message).toBe(
      'The email has neither text nor html. TextBody: expected TextBody or HtmlBody (received nothing). Give the body as TextBody, as HtmlBody or as both. (BODY_MISSING, email 01890000-0000-7000-8000-000000000000, request 6b0f7f1e-3f25-4f9b-8d8b-0a1b2c3d4e5f)',
    );
  });

  test.each(['ADDRESS_INVALID', 'CONTENT_TYPE_UNSUPPORTED', 'BODY_MISSING', 'SENDER_NOT_ALLOWED'] as const)(
    '%s does not name fields or addresses of our own API',
    (code) => {
      expect(errorOf(code).error.Message).not.toMatch(
        /`(?:cid|from|to|text|html|content|detail|expected)`|\/api\/mail/,
      );
    },
  );

  test('with many problems has the first ten', () => {
    const problems = Array.from({ length: 12 }, (_, at) => ({
      pointer: `Headers[${at}]`,
      expected: 'a',
      received: 'b',
    }));
    const { error } = errorOf('MAIL_INVALID', { problems });
    expect(error.Message).toContain('Headers[9]: expected');
    expect(error.Message).not.toContain('Headers[10]');
    expect(error.Message).toContain('There are 2 more problems.');
  });
});

describe('a call', () => {
  test.each<[string, string, string]>([
    ['POST', 'email', 'send'],
    ['POST', 'Email', 'send'],
    ['POST', 'email/batch', 'batch'],
    ['GET', 'server', 'server'],
    ['GET', 'messages/outbound/abc/details', 'details'],
  ])('%s %s is %s', (method, path, kind) => {
    expect(readCall(method, path).kind).toBe(kind);
  });

  test.each<[string, string, ErrorCode, string]>([
    ['POST', 'email/withTemplate', 'FACADE_FIELD_NOT_CARRIED', ''],
    ['POST', 'email/batchWithTemplates', 'FACADE_FIELD_NOT_CARRIED', ''],
    ['GET', 'templates/1', 'FACADE_CALL_UNKNOWN', 'no templates'],
    ['GET', 'deliveryStats', 'FACADE_CALL_UNKNOWN', 'metrics'],
    ['GET', 'messages/outbound/opens/1', 'FACADE_CALL_UNKNOWN', 'does not track'],
    ['GET', 'servers/1', 'FACADE_CALL_UNKNOWN', 'POST /email'],
    ['GET', '', 'FACADE_CALL_UNKNOWN', 'POST /email'],
  ])('%s %s does not exist: %s, and says what does', (method, path, code, words) => {
    expect(() => readCall(method, path)).toThrow(
      expect.toSatisfy(
        (error) =>
          error instanceof AppError && error.code === code && (error.facts.detail ?? '').includes(words),
      ),
    );
  });
});

describe('a success', () => {
  test('has the recipients as they were written, and a time that .NET reads', () => {
    const answer = toAccepted(
      { To: 'A <a@b.example>', Cc: '', bcc: 'c@d.example' },
      {
        mailId: '01890000-0000-7000-8000-000000000000',
        at: '2026-12-01T09:00:00.123Z',
      },
    );
    expect(answer).toEqual({
      To: 'A <a@b.example>',
      Bcc: 'c@d.example',
      SubmittedAt: '2026-12-01T09:00:00.123+00:00',
      MessageID: '01890000-0000-7000-8000-000000000000',
      ErrorCode: 0,
      Message: 'OK',
    });
  });
});

describe('the details of an email', () => {
  const status = {
    id: '1',
    state: 'sent',
    sender: 'noreply@contoso.example',
    tags: ['welcome', 'order.4711'],
    acceptedAt: '2026-12-01T09:00:00.000Z',
  };

  test.each([
    ['sent', 'Sent'],
    ['captured', 'Sent'],
    ['queued', 'Queued'],
    ['deferred', 'Queued'],
    ['unknown', 'Queued'],
    ['rejected', 'Failed'],
    ['held', 'Failed'],
    ['canceled', 'Failed'],
  ])('of state %s say %s', (state, expected) => {
    expect(toMessageDetails({ ...status, state })).toMatchObject({
      Status: expected,
      Tag: 'welcome',
      MessageID: '1',
    });
  });

  test.each([
    ['held', 'OUTCOME_UNKNOWN', 'Queued'],
    ['held', 'ATTEMPT_LOST', 'Queued'],
    ['closed', 'OUTCOME_UNKNOWN', 'Sent'],
    ['held', 'GIVEN_UP', 'Failed'],
    ['closed', 'GIVEN_UP', 'Failed'],
  ])('do not say of an email that may have been sent that it failed: %s with %s', (state, code, expected) => {
    expect(toMessageDetails({ ...status, state, reason: { code } }).Status).toBe(expected);
  });

  test('have an event for each recipient of whom something is known', () => {
    const at = '2026-12-01T09:05:00.000Z';
    const details = toMessageDetails({
      ...status,
      recipientAddresses: ['a@b.example'],
      deliveries: [
        { address: 'a@b.example', status: 'delivered', at },
        { status: 'failed', at, code: '5.1.1', cause: 'unknown recipient' },
        { status: 'pending', at, code: '4.4.7' },
        { status: 'quarantined', at },
      ],
    });
    expect(details).toMatchObject({
      Recipients: ['a@b.example'],
      MessageEvents: [
        { Recipient: 'a@b.example', Type: 'Delivered', ReceivedAt: '2026-12-01T09:05:00.000+00:00' },
        { Recipient: '', Type: 'Bounced', Details: { Summary: '5.1.1 unknown recipient' } },
        { Type: 'Transient', Details: { DeliveryMessage: '4.4.7' } },
      ],
    });
  });

  test('say of a test environment that nothing was delivered', () => {
    expect(toMessageDetails({ ...status, captured: true }).Sandboxed).toBe(true);
    expect(toServer('app', true).DeliveryType).toBe('Sandbox');
    expect(toServer('app', false).DeliveryType).toBe('Live');
  });
});
