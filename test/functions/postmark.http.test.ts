import { HttpRequest, type HttpRequestInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { facadeHttp } from '../../src/functions/facade.http.ts';
import { postmarkFacade } from '../../src/functions/postmark.http.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { inMemoryPorts, NOW, type World } from '../support/in-memory-ports.ts';
import { INVOCATION_ID, invocation } from './invocation.ts';

const KEY = makeKey(NOW);
const EMAIL = {
  From: 'noreply@contoso.example',
  To: 'canary@fabrikam.example',
  Subject: 'canary',
  TextBody: 'canary',
};

const post = async (
  path: string,
  body: unknown,
  { world = inMemoryPorts(), headers = {} }: { world?: World; headers?: Record<string, string> } = {},
  init: HttpRequestInit = {},
) => {
  const callers = knowing(aDeclaredCaller('crm', { keys: [KEY.record] }));
  const { context, events, logged } = invocation();
  const handler = facadeHttp(
    async () => postmarkFacade,
    {
      forIdentity: () => ({ callers, appTokens: { check: async () => ({}) } }),
      forSendMail: (log) => ({ ...world.needs, log, callers, maxRequestBytes: 1_000_000 }),
      forStatus: () => world.needs,
      forDesk: () => world.needs,
    },
    '/api/postmark/',
  );
  const answer = await handler(
    new HttpRequest({
      method: 'POST',
      url: `https://relay.contoso.example/api/postmark/${path}`,
      headers: { 'x-postmark-server-token': KEY.text, 'content-type': 'application/json', ...headers },
      body: { string: JSON.stringify(body) },
      ...init,
    }),
    context,
  );
  const { status, jsonBody } = answer as { readonly status: number; readonly jsonBody: never };
  return { ...world, answer, status, json: jsonBody, events, logged };
};

describe('an email whose outcome nobody knows', () => {
  test('was accepted by Graph and could not be recorded: it is a success, and the log says so', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'r-1' });
    world.fail('ledger.replace');
    const { status, json, events } = await post('email', EMAIL, { world });
    const [row] = world.rows();
    expect([status, json]).toMatchObject([200, { ErrorCode: 0, Message: 'OK', MessageID: row?.mailId }]);
    expect(events()).toContain('StorageFailed');
  });

  test('is a success in a batch too, beside one that is refused', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'r-1' });
    world.fail('ledger.replace');
    const { json } = await post('email/batch', [{ ...EMAIL, TrackOpens: true }, EMAIL], { world });
    expect(json).toMatchObject([{ ErrorCode: 300 }, { ErrorCode: 0, MessageID: world.rows()[0]?.mailId }]);
  });
});

describe('an email that was certainly not sent', () => {
  test('because storage fails is an error after which it can be sent again', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    const { answer, status, json } = await post('email', EMAIL, { world });
    expect([status, json]).toMatchObject([
      503,
      { ErrorCode: 100, Message: expect.stringContaining(`(MAIL_NOT_STORED, request ${INVOCATION_ID})`) },
    ]);
    expect(answer).toMatchObject({ headers: { 'retry-after': '30' } });
    expect(world.plans).toEqual([]);
  });

  test('because Graph rejects it is an error with the id of the email', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    const { status, json } = await post('email', EMAIL, { world });
    expect([status, json]).toMatchObject([
      422,
      {
        ErrorCode: 400,
        Message: expect.stringContaining(`(MAILBOX_NOT_FOUND, email ${world.rows()[0]?.mailId}`),
      },
    ]);
  });
});

describe('a batch', () => {
  test('in which every email fails for storage is a list of errors, and nothing was accepted', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    const { status, json } = await post('email/batch', [EMAIL, EMAIL], { world });
    expect([status, json]).toMatchObject([200, [{ ErrorCode: 100 }, { ErrorCode: 100 }]]);
    expect(world.rows()).toEqual([]);
  });

  test('of which no email can be read sends nothing, and logs each refusal without a word of it', async () => {
    const { status, json, events, logged, plans } = await post('email/batch', [
      null,
      'canary',
      { canary: 1 },
    ]);
    expect([status, json]).toMatchObject([200, [{ ErrorCode: 300 }, { ErrorCode: 300 }, { ErrorCode: 300 }]]);
    expect(events()).toEqual(['RequestRefused', 'RequestRefused', 'RequestRefused']);
    expect(JSON.stringify(logged)).not.toContain('canary');
    expect(plans).toEqual([]);
  });

  test('of more than twenty emails is queued', async () => {
    const { json, plans, rows } = await post(
      'email/batch',
      Array.from({ length: 21 }, () => EMAIL),
    );
    expect((json as readonly { ErrorCode: number }[]).every(({ ErrorCode }) => ErrorCode === 0)).toBe(true);
    expect([plans.length, rows().length]).toEqual([0, 21]);
  });
});

test('a request that is only checked leaves nothing, also where its key is used', async () => {
  const headers = { 'x-postmark-server-token': `POSTMARK_API_TEST.${KEY.text}`, 'idempotency-key': 'k' };
  const { json, plans, rows } = await post('email', EMAIL, { headers });
  expect(json).toMatchObject({ ErrorCode: 0, Message: 'Test job accepted' });
  expect([plans, rows()]).toEqual([[], []]);
});

test('the header Idempotency-Key is the key of one email', async () => {
  const world = inMemoryPorts();
  const headers = { 'idempotency-key': 'invoice-1' };
  const first = await post('email', EMAIL, { world, headers });
  const second = await post('email', EMAIL, { world, headers });
  expect(second.json).toMatchObject({ MessageID: (first.json as { MessageID: string }).MessageID });
  expect(world.plans).toHaveLength(1);
});
