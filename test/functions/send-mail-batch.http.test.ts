import type { HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { sendMailBatchHttp } from '../../src/functions/send-mail-batch.http.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { bodyOf, INVOCATION_ID, invocation, MAIL_URL, mailRequest } from './invocation.ts';

const post = async (body: unknown, init: HttpRequestInit = {}, world: World = inMemoryPorts()) => {
  const { context, logged } = invocation();
  const handler = sendMailBatchHttp((log) => ({ ...world.needs, log }));
  const request = mailRequest(body, { url: `${MAIL_URL}/batch?code=a-key`, ...init });
  const answer = (await handler(request, context)) as HttpResponseInit;
  const { results = [], ...rest } = bodyOf(answer) as { results?: Record<string, unknown>[] };
  return { ...world, status: answer.status, results, body: rest as Record<string, unknown>, logged };
};

describe('POST /api/mail/batch', () => {
  test('answers 200 with the answer of each email, in their order, when all were accepted', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'r-1' });
    const later = '2026-03-03T08:00:00Z';
    const { status, results, rows } = await post(
      { mails: [aMail({ idempotencyKey: 'a' }), aMail({ sendAt: later }), aMail({ idempotencyKey: 'a' })] },
      {},
      world,
    );
    const [sent, queued] = ['sent', 'queued'].map((state) => rows().find((row) => row.state === state));
    const first = {
      status: 200,
      id: sent?.mailId,
      state: 'sent',
      sender: sent?.sender,
      graphRequestId: 'r-1',
    };
    expect(status).toBe(200);
    expect(results).toEqual([
      first,
      {
        status: 202,
        id: queued?.mailId,
        state: 'queued',
        statusUrl: `${MAIL_URL}/${queued?.mailId}`,
        sendAt: '2026-03-03T08:00:00.000Z',
      },
      { ...first, repeated: true },
    ]);
  });

  test('answers 207 when one was refused, with its problem, whose pointers lead to it, and logs that', async () => {
    const { status, results, plans, logged } = await post({ mails: [aMail(), aMail({ to: 'x', cc: 'y' })] });
    expect([status, plans.length]).toEqual([207, 1]);
    expect(results[1]).toEqual({
      status: 400,
      error: expect.objectContaining({
        type: 'urn:graph-mail-relay:error:ADDRESS_INVALID',
        instance: `urn:uuid:${INVOCATION_ID}`,
        fixedBy: 'caller',
        problems: [
          expect.objectContaining({ pointer: '/mails/1/to' }),
          expect.objectContaining({ pointer: '/mails/1/cc' }),
        ],
      }),
    });
    expect(logged.at(-1)?.event).toMatchObject({ event: 'RequestRefused', code: 'ADDRESS_INVALID' });
  });

  test('takes a list too: then the pointers begin with the place in it', async () => {
    const { status, results } = await post([aMail({ to: 'x' }), aMail()]);
    expect([status, results[1]?.status]).toEqual([207, 200]);
    expect(results[0]).toMatchObject({ error: { problems: [{ pointer: '/0/to' }] } });
  });

  test('says of each what recipients may not get as asked, with pointers that lead to it', async () => {
    const { results } = await post({ mails: [aMail(), aMail({ messageId: '<own@contoso.example>' })] });
    expect(results[0]).not.toHaveProperty('warnings');
    expect(results[1]).toMatchObject({
      status: 200,
      warnings: [{ code: 'MESSAGE_ID_MAY_CHANGE', pointer: '/mails/1/messageId' }],
    });
  });

  test('says of each that is refused for a while when to come back', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    const { status, results } = await post([aMail(), aMail({ to: 'x' })], {}, world);
    expect(status).toBe(207);
    expect(results).toMatchObject([
      { status: 503, retryAfter: 30, error: { code: 'MAIL_NOT_STORED' } },
      { status: 400 },
    ]);
    expect(results[1]).not.toHaveProperty('retryAfter');
  });

  test('tells of an unforeseen fault as one by itself does, and the others are sent', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create', new TypeError('a fault with content'));
    const { results, logged } = await post([aMail()], {}, world);
    expect(results).toMatchObject([{ status: 500, error: { code: 'UNEXPECTED' } }]);
    expect(logged.map(({ event }) => event.event)).toEqual(['Unexpected', 'RequestRefused']);
    expect(JSON.stringify([results, logged])).not.toContain('a fault with content');
  });

  test('queues all of them when its caller does not want to wait', async () => {
    const { status, results, plans } = await post([aMail(), aMail()], {
      headers: { prefer: 'respond-async' },
    });
    expect([status, results.map((result) => result.state), plans]).toEqual([200, ['queued', 'queued'], []]);
  });

  test.each<[string, unknown, HttpRequestInit, string, RegExp]>([
    ['is none', 'text', {}, 'JSON_UNREADABLE', /JSON object/],
    ['is a number', 7, {}, 'BATCH_INVALID', /received number/],
    ['is one email', aMail(), {}, 'BATCH_INVALID', /list in `mails`, received nothing/],
    ['has no list', { mails: aMail() }, {}, 'BATCH_INVALID', /received object/],
    ['has no email', { mails: [] }, {}, 'BATCH_INVALID', /1 to 100 emails, received 0/],
    ['has too many', Array(101).fill(aMail()), {}, 'BATCH_INVALID', /received 101/],
    [
      'has fields beside',
      { mails: [aMail()], from: 'a@contoso.example' },
      {},
      'BATCH_INVALID',
      /no field other/,
    ],
    [
      'has one key for all',
      [aMail()],
      { headers: { 'idempotency-key': 'k' } },
      'IDEMPOTENCY_KEY_INVALID',
      /`idempotencyKey` of each/,
    ],
    ['is to be a dry run', [aMail()], { query: { dryRun: 'true' } }, 'QUERY_INVALID', /no dry run/],
    [
      'is no JSON by its type',
      [aMail()],
      { headers: { 'content-type': 'message/rfc822' } },
      'CONTENT_TYPE_UNSUPPORTED',
      /json/,
    ],
  ])('refuses a batch that %s, and accepts nothing', async (_case, body, init, code, detail) => {
    const { body: problem, rows, messages } = await post(body, init);
    expect([problem.code, rows(), messages]).toEqual([code, [], []]);
    expect(problem.detail).toMatch(detail);
  });
});

test('an email of a batch that is over the daily limit says when it can be sent again, and the others are sent', async () => {
  const world = inMemoryPorts();
  const callers = knowing(aDeclaredCaller('function-keys', { rules: { mailsPerDay: 1 } }));
  const limited = { ...world, needs: { ...world.needs, callers } };
  const { status, results } = await post({ mails: [aMail(), aMail()] }, {}, limited);
  expect(status).toBe(207);
  expect(results).toMatchObject([
    { status: 200, state: 'sent' },
    { status: 429, retryAfter: 57_600, error: { code: 'CALLER_LIMIT_REACHED', fixedBy: 'time' } },
  ]);
});
