import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError, type Problem, reasonOf, reportOf } from '../../../src/lib/errors.ts';
import { toRefusal } from '../../../src/lib/facades/resend-refusal.ts';
import {
  joinErrors,
  keyOfItem,
  keysOfBatch,
  readBatch,
  readIsPermissive,
  readKey,
} from '../../../src/lib/facades/resend-requests.ts';
import { type ToldStatus, toEmailObject } from '../../../src/lib/facades/resend-status.ts';
import { errorOf } from '../../support/problems-of.ts';

const ASKED = { method: 'POST', path: 'emails' };
const CODES = Object.keys(catalogue) as readonly ErrorCode[];
/** The names that clients know (resend 6, RESEND_ERROR_CODE_KEY). */
const NAMES = [
  ...['invalid_idempotency_key', 'validation_error', 'missing_api_key', 'restricted_api_key', 'not_found'],
  ...[
    'method_not_allowed',
    'invalid_idempotent_request',
    'concurrent_idempotent_requests',
    'invalid_attachment',
  ],
  ...['invalid_from_address', 'missing_required_field', 'daily_quota_exceeded', 'rate_limit_exceeded'],
  'application_error',
];

const refuse = (code: ErrorCode, problems?: readonly Problem[], asked = ASKED) => {
  const error = new AppError(code, problems === undefined ? {} : { problems });
  const problem = { status: catalogue[code].status, ...reportOf(reasonOf(error)) };
  const { status, json } = toRefusal(problem, asked);
  return { status, json: json as { statusCode: number; name: string; message: string } };
};
const problem = (pointer: string, code: ErrorCode = 'FIELD_INVALID', received = 'text'): Problem => ({
  code,
  pointer,
  expected: 'something else',
  received,
});

describe('an error of the relay is one of Resend', () => {
  test.each(CODES)('%s', (code) => {
    const { status, json } = refuse(code);
    expect(json.statusCode).toBe(status);
    expect(NAMES).toContain(json.name);
    expect(json.message).toContain(catalogue[code].title);
    expect(json.message).not.toContain('`problems`');
  });

  test.each<[ErrorCode, number, string]>([
    ['CALLER_UNKNOWN', 401, 'missing_api_key'],
    ['KEY_NOT_ACCEPTED', 401, 'validation_error'],
    ['SENDER_NOT_ALLOWED', 403, 'validation_error'],
    ['IDEMPOTENCY_KEY_INVALID', 400, 'invalid_idempotency_key'],
    ['IDEMPOTENCY_KEY_REUSED', 409, 'invalid_idempotent_request'],
    ['MAIL_UNDER_WAY', 409, 'concurrent_idempotent_requests'],
    ['CALLER_LIMIT_REACHED', 429, 'daily_quota_exceeded'],
    ['RELAY_BUSY', 429, 'rate_limit_exceeded'],
    ['MAIL_NOT_STORED', 503, 'application_error'],
    ['GRAPH_REFUSED', 500, 'application_error'],
    ['MAIL_TOO_LARGE', 400, 'validation_error'],
    ['MAIL_NOT_FOUND', 404, 'not_found'],
  ])('%s is %i %s', (code, status, name) => {
    expect(refuse(code)).toMatchObject({ status, json: { name } });
  });

  test.each<[string, readonly Problem[], number, string]>([
    [
      'nothing is there that is required',
      [problem('from', 'FIELD_INVALID', 'nothing'), problem('[1].to', 'RECIPIENT_MISSING')],
      422,
      'missing_required_field',
    ],
    [
      'all is about files',
      [problem('attachments[0].path'), problem('[2].attachments[1].content')],
      422,
      'invalid_attachment',
    ],
    ['the sender is no address', [problem('from', 'ADDRESS_INVALID')], 422, 'invalid_from_address'],
    [
      'the kinds differ',
      [problem('from', 'ADDRESS_INVALID'), problem('attachments')],
      400,
      'validation_error',
    ],
    ['it is another field', [problem('to[0]', 'ADDRESS_INVALID')], 400, 'validation_error'],
  ])('%s', (_case, problems, status, name) => {
    expect(refuse('MAIL_INVALID', problems)).toMatchObject({ status, json: { name } });
  });

  test('names each field with what is expected there, and no more than ten', () => {
    const { message } = refuse(
      'MAIL_INVALID',
      Array.from({ length: 12 }, (_, at) => problem(`to[${at}]`)),
    ).json;
    expect(message).toContain('`to[0]`: expected something else; received text.');
    expect(message).not.toContain('to[10]');
    expect(message).toContain('And 2 more.');
  });

  test('names a field of Resend where ours is to be used', () => {
    const expected = 'the field `replyTo` instead of this header';
    const { message } = refuse('HEADER_NOT_CARRIED', [{ ...problem('headers.Reply-To'), expected }]).json;
    expect(message).toContain('the field `reply_to` instead of this header');
  });

  test('names the place in a text that has a field twice', () => {
    expect(refuse('FIELD_REPEATED', [problem('/2/attachments/0/filename')]).json.message).toContain(
      '`[2].attachments[0].filename`',
    );
  });
});

test.each([
  ['GET', 'emails', 404, 'not_found'],
  ['DELETE', 'emails', 405, 'method_not_allowed'],
  ['PUT', 'emails/batch', 405, 'method_not_allowed'],
  ['DELETE', 'emails/1', 405, 'method_not_allowed'],
  ['GET', 'emails/1/cancel', 405, 'method_not_allowed'],
  ['GET', 'emails/1/attachments', 404, 'not_found'],
  ['GET', 'nothing', 404, 'not_found'],
  ['GET', 'domains', 401, 'restricted_api_key'],
  ['POST', 'api-keys', 401, 'restricted_api_key'],
  ['GET', 'domains/1/verify', 401, 'restricted_api_key'],
])('a call that is not there: %s %s is %i %s', (method, path, status, name) => {
  expect(refuse('FACADE_CALL_UNKNOWN', undefined, { method, path })).toMatchObject({
    status,
    json: { name },
  });
});

describe('an idempotency key of Resend', () => {
  test.each([
    [null, undefined],
    ['welcome/123', 'welcome/123'],
    [' welcome user 123 ', 'welcome%20user%20123'],
  ])('is one of the relay: %j', (header, key) => {
    expect(readKey(header)).toBe(key);
  });

  test.each(['', ' ', 'k'.repeat(256), 'ü'])('is refused where it is none: %j', (header) => {
    expect(errorOf(() => readKey(header)).code).toBe('IDEMPOTENCY_KEY_INVALID');
  });

  test('of a batch gives each email its own, and the same for the same batch', () => {
    expect([keyOfItem('k', 0), keyOfItem('k', 1), keyOfItem(undefined, 0)]).toEqual([
      // As a single email with the same key has.
      'k',
      'k#batch-1',
      undefined,
    ]);
    expect(new Set(keysOfBatch('k')).size).toBe(100);
    expect(errorOf(() => keyOfItem('k'.repeat(250), 1)).code).toBe('IDEMPOTENCY_KEY_INVALID');
  });
});

describe('a batch', () => {
  test.each([[{}], [[]], [null], [Array.from({ length: 101 })]])('is refused where it is none', (body) => {
    expect(errorOf(() => readBatch(body)).code).toBe('BATCH_INVALID');
  });

  test('is strict unless it says otherwise', () => {
    expect([null, '', 'strict', 'Permissive'].map(readIsPermissive)).toEqual([false, false, false, true]);
    expect(errorOf(() => readIsPermissive('loose')).code).toBe('FIELD_INVALID');
  });

  test('has one error for all of its emails', () => {
    const first = new AppError('ADDRESS_INVALID', { problems: [problem('[0].to', 'ADDRESS_INVALID')] });
    const second = new AppError('BODY_MISSING', { problems: [problem('[2].text', 'BODY_MISSING')] });
    expect(
      joinErrors([
        { index: 0, error: first },
        { index: 2, error: second },
      ]),
    ).toMatchObject({
      code: 'MAIL_INVALID',
      facts: { problems: [{ pointer: '[0].to' }, { pointer: '[2].text' }] },
    });
    expect(joinErrors([{ index: 4, error: new AppError('MAIL_TOO_LARGE') }])).toMatchObject({
      code: 'MAIL_TOO_LARGE',
      facts: { detail: 'It is about email [4] of the batch.' },
    });
  });
});

describe('the state of an email is the last event of Resend', () => {
  const NOW = new Date('2026-11-26T12:00:00.000Z');
  const status = (more: Partial<ToldStatus>): ToldStatus => ({
    id: '0',
    state: 'sent',
    sender: 'shop@contoso.example',
    recipients: 2,
    tags: [],
    acceptedAt: '2026-11-26T11:00:00.123Z',
    ...more,
  });
  const [delivered, pending] = [{ status: 'delivered' }, { status: 'pending' }];
  test.each<[string, Partial<ToldStatus>, string]>([
    ['waits for its time', { state: 'queued', sendAt: '2026-11-26T13:00:00.000Z' }, 'scheduled'],
    ['waits past its time', { state: 'queued', sendAt: '2026-11-26T11:30:00.000Z' }, 'queued'],
    ['waits', { state: 'queued' }, 'queued'],
    ['is being sent', { state: 'sending' }, 'queued'],
    ['is tried again', { state: 'deferred' }, 'queued'],
    ['is in doubt', { state: 'unknown' }, 'delivery_delayed'],
    ['was sent', {}, 'sent'],
    ['reached all of its recipients', { deliveries: [delivered, delivered] }, 'delivered'],
    ['reached some', { deliveries: [delivered] }, 'sent'],
    ['is on its way', { deliveries: [delivered, pending] }, 'sent'],
    ['came back', { bounced: true, deliveries: [{ status: 'failed' }] }, 'bounced'],
    ['was captured in a test', { state: 'captured' }, 'sent'],
    ['was canceled', { state: 'canceled' }, 'canceled'],
    ['was closed while it waited', { state: 'closed', reason: { code: 'CLOSED_WHILE_WAITING' } }, 'canceled'],
    ['was closed', { state: 'closed', reason: { code: 'GIVEN_UP' } }, 'failed'],
    ['is held', { state: 'held', reason: { code: 'GIVEN_UP' } }, 'failed'],
    ['is held in doubt', { state: 'held', reason: { code: 'OUTCOME_UNKNOWN' } }, 'delivery_delayed'],
    [
      'is held for another reason after an attempt in doubt',
      { state: 'held', reason: { code: 'GIVEN_UP' }, timeline: [{ event: 'attempt unknown' }] },
      'delivery_delayed',
    ],
    ['was closed after a doubt', { state: 'closed', reason: { code: 'OUTCOME_UNKNOWN' } }, 'sent'],
    ['was rejected', { state: 'rejected' }, 'failed'],
  ])('%s', (_case, more, lastEvent) => {
    expect(toEmailObject(status(more), NOW).last_event).toBe(lastEvent);
  });

  test('with times as Resend writes them, tags as they came, and nothing that the relay does not keep', () => {
    expect(
      toEmailObject(status({ tags: ['category.confirm.x', 'payroll'], internetMessageId: '<a@b>' }), NOW),
    ).toEqual({
      ...{ object: 'email', id: '0', message_id: '<a@b>', from: 'shop@contoso.example', to: [] },
      ...{ cc: null, bcc: null, reply_to: null, subject: '', html: null, text: null },
      tags: [
        { name: 'category', value: 'confirm.x' },
        { name: 'payroll', value: '' },
      ],
      ...{ created_at: '2026-11-26 11:00:00.123000+00', scheduled_at: null, last_event: 'sent' },
    });
  });
});
