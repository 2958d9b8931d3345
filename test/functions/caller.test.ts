import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { byFunctionKey, byKeyOrToken, type Identify } from '../../src/functions/caller.ts';
import { cancelMailHttp } from '../../src/functions/cancel-mail.http.ts';
import { mailStatusHttp } from '../../src/functions/mail-status.http.ts';
import { ownCallerHttp } from '../../src/functions/own-caller.http.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { sendMailBatchHttp } from '../../src/functions/send-mail-batch.http.ts';
import type { TokenClaims } from '../../src/lib/callers/app-token.ts';
import type { CallerRules } from '../../src/lib/callers/caller.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { type DeclaredCaller, makeKnownCallers } from '../../src/lib/callers/known-callers.ts';
import { AppError } from '../../src/lib/errors.ts';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import type { Log } from '../../src/lib/log.ts';
import type { AppTokens, Callers } from '../../src/lib/ports.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts, NOW, type World } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, MAIL_URL } from './invocation.ts';

const V1 = 'https://relay.contoso.example/api/v1/mail';
const OWN = makeKey(NOW);
const SECOND = makeKey(NOW);
const UNKNOWN = makeKey(NOW);
const APP = '3f0c2d6a-9a51-4b7e-8d0f-6c1f5b2a7e94';
const FUNCTION_KEY = 'canary-function-key';

/** Entra's part: this token is of the application, and no other is right. */
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.Y2FuYXJ5';
const claims = (more: TokenClaims = {}): TokenClaims => ({ azp: APP, roles: ['Mail.Submit'], ...more });
const accepting = (given: TokenClaims = claims()): AppTokens => ({
  check: async (token) => {
    if (token !== TOKEN) throw new AppError('TOKEN_NOT_ACCEPTED', { detail: 'Its signature is wrong.' });
    return given;
  },
});

const payroll = (rules: Partial<CallerRules> = {}): DeclaredCaller =>
  aDeclaredCaller('payroll', {
    keys: [OWN.record, SECOND.record],
    apps: [APP],
    functionKeys: [callerOfKey(FUNCTION_KEY)],
    rules: { senders: ['payroll@contoso.example'], ...rules },
  });

/** How a request proves whose it is: the address, and what is in its head. */
const WAYS = {
  'a function key': { url: MAIL_URL, headers: { 'x-functions-key': FUNCTION_KEY } },
  'a key as Bearer': { url: V1, headers: { authorization: `Bearer ${OWN.text}` } },
  'a key in x-api-key': { url: V1, headers: { 'x-api-key': SECOND.text } },
  'a token': { url: V1, headers: { authorization: `Bearer ${TOKEN}` } },
} as const satisfies Record<string, { readonly url: string; readonly headers: Record<string, string> }>;
type Way = { readonly url: string; readonly headers: Record<string, string> };

type Action = 'send' | 'batch' | 'status' | 'cancel' | 'own';

/** The functions of the relay that applications call, with these callers. */
const aRelay = (callers: Callers = knowing(payroll()), appTokens: AppTokens = accepting()) => {
  const world: World = inMemoryPorts();
  const senderPolicy = {
    defaultSender: { address: 'noreply@contoso.example' },
    allowedSenders: ['*@contoso.example'],
  };
  const asked: string[] = [];
  const needs = (log: Log) => {
    asked.push('needs');
    return { ...world.needs, accept: { ...world.needs.accept, senderPolicy }, senderPolicy, callers, log };
  };
  const identifyOf = ({ url }: Way): Identify =>
    url.startsWith(V1) ? byKeyOrToken(() => ({ callers, appTokens })) : byFunctionKey(() => ({ callers }));
  const call = async (action: Action, way: Way, init: HttpRequestInit & { readonly id?: string } = {}) => {
    const { id, headers, ...rest } = init;
    const identify = identifyOf(way);
    const handlers = {
      send: sendMailHttp(needs, identify),
      batch: sendMailBatchHttp(needs, identify),
      status: mailStatusHttp(needs, identify),
      cancel: cancelMailHttp(needs, identify),
      own: ownCallerHttp(needs, identify),
    };
    const isPost = action === 'send' || action === 'batch';
    const mail = aMail({ from: 'payroll@contoso.example' });
    const request = new HttpRequest({
      method: isPost ? 'POST' : 'GET',
      url: way.url,
      ...(isPost ? { body: { string: JSON.stringify(action === 'batch' ? [mail] : mail) } } : {}),
      ...(id === undefined ? {} : { params: { id } }),
      ...rest,
      headers: { 'content-type': 'application/json', ...way.headers, ...(headers as object) },
    });
    const { context, logged } = invocation();
    const answer = (await handlers[action](request, context)) as HttpResponseInit;
    const body = bodyOf(answer) as Record<string, unknown> & { readonly id: string };
    const found = { status: answer.status ?? 200, code: body.code, body, request, logged };
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(found.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    });
    // Nothing that is answered, logged, kept or announced repeats what proves who calls.
    const told = JSON.stringify([
      answer,
      logged,
      world.logged,
      world.rows(),
      world.announced,
      world.messages,
    ]);
    for (const secret of [OWN.text, SECOND.text, UNKNOWN.text, TOKEN, 'canary'])
      expect(told).not.toContain(secret.split('_')[2] ?? secret);
    return found;
  };
  return { ...world, asked, call };
};

describe.each(Object.entries(WAYS))('a caller that proves who it is with %s', (_way, way: Way) => {
  test('sends, asks, cancels, and is one caller however it comes', async () => {
    const { call, rows } = aRelay();
    const { status, body } = await call('send', way);
    expect([status, rows()[0]?.caller]).toEqual([200, 'payroll']);
    for (const other of Object.values(WAYS)) {
      expect((await call('status', other, { id: body.id })).body).toMatchObject({ state: 'sent' });
      expect((await call('cancel', other, { id: body.id })).code).toBe('MAIL_NOT_WAITING');
    }
  });

  test('gets in the answer an address for the status that it can use with the same credential', async () => {
    const { call } = aRelay();
    const { status, body } = await call('send', way, { headers: { prefer: 'respond-async' } });
    expect([status, body.statusUrl]).toEqual([202, `${way.url}/${body.id}`]);
    const { body: batch } = await call(
      'batch',
      { ...way, url: `${way.url}/batch` },
      { headers: { prefer: 'respond-async' } },
    );
    expect(batch).toMatchObject({ results: [{ statusUrl: expect.stringContaining(`${way.url}/`) }] });
  });

  test.each<[string, Partial<CallerRules>, string]>([
    ['switched off', { isDisabled: true }, 'CALLER_DISABLED'],
    ['allowed to send by queue only', { doors: ['queue'] }, 'DOOR_NOT_ALLOWED'],
    ['allowed nothing', { doors: [] }, 'DOOR_NOT_ALLOWED'],
  ])('is refused everything while it is %s, by name', async (_case, rules, code) => {
    const { call, rows, effects } = aRelay(knowing(payroll(rules)));
    for (const action of ['send', 'batch', 'status', 'cancel', 'own'] as const) {
      const refused = await call(action, way, { id: '01890000-0000-7000-8000-000000000000' });
      expect([action, refused.status, refused.code]).toEqual([action, 403, code]);
      expect(refused.body.detail).toContain('payroll');
    }
    expect([rows(), effects]).toEqual([[], []]);
  });

  test.each([
    ['its own sender', 'payroll@contoso.example', 200, undefined],
    ['the sender of another caller', 'helpdesk@contoso.example', 403, 'SENDER_NOT_ALLOWED'],
    ['a sender that does not exist', 'nobody@contoso.example', 403, 'SENDER_NOT_ALLOWED'],
    ['a sender outside of the settings', 'payroll@fabrikam.example', 403, 'SENDER_NOT_ALLOWED'],
  ])('sends as %s or not at all', async (_case, from, status, code) => {
    const { call, rows } = aRelay(
      knowing(payroll({ senders: ['payroll@contoso.example', '*@fabrikam.example'] })),
    );
    const sent = await call('send', way, { body: { string: JSON.stringify(aMail({ from })) } });
    expect([sent.status, sent.code, rows().length]).toEqual([status, code, status === 200 ? 1 : 0]);
  });
});

describe('the emails of callers stay apart', () => {
  const HELPDESK = makeKey(NOW);
  const helpdesk = (rules: Partial<CallerRules> = {}) =>
    aDeclaredCaller('helpdesk', { keys: [HELPDESK.record], rules });
  const asHelpdesk: Way = { url: V1, headers: { authorization: `Bearer ${HELPDESK.text}` } };

  test('the status and the end of an email are for its caller, and for one that may see all its status', async () => {
    const { call } = aRelay(knowing(payroll(), helpdesk()));
    const { body } = await call('send', WAYS['a token'], { headers: { prefer: 'respond-async' } });
    for (const action of ['status', 'cancel'] as const)
      expect((await call(action, asHelpdesk, { id: body.id })).code).toBe('MAIL_NOT_FOUND');

    const auditor = aRelay(knowing(payroll(), helpdesk({ reads: 'all' })));
    const sent = await auditor.call('send', WAYS['a token'], { headers: { prefer: 'respond-async' } });
    expect((await auditor.call('status', asHelpdesk, { id: sent.body.id })).status).toBe(200);
    expect((await auditor.call('cancel', asHelpdesk, { id: sent.body.id })).code).toBe('MAIL_NOT_FOUND');
  });

  test('one idempotency key of two callers is two emails, and of one caller by two keys one email', async () => {
    const { call, rows } = aRelay(knowing(payroll(), helpdesk({ senders: ['payroll@contoso.example'] })));
    const headers = { 'idempotency-key': 'invoice-1' };
    const ids = await Promise.all(
      [WAYS['a key as Bearer'], WAYS['a key in x-api-key'], asHelpdesk].map(async (way) => {
        const { body } = await call('send', way, { headers });
        return body.id;
      }),
    );
    expect([ids[0] === ids[1], ids[0] === ids[2], rows().length]).toEqual([true, false, 2]);
  });
});

describe('/api/v1', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['no key', {}, '', 'CALLER_UNKNOWN'],
    ['a function key', { 'x-functions-key': FUNCTION_KEY }, '', 'CALLER_UNKNOWN'],
    ['a key in the address', {}, `?code=${OWN.text}`, 'CALLER_UNKNOWN'],
    ['two keys', { authorization: `Bearer ${OWN.text}`, 'x-api-key': OWN.text }, '', 'CREDENTIALS_AMBIGUOUS'],
    ['a key that nobody has', { 'x-api-key': UNKNOWN.text }, '', 'KEY_NOT_ACCEPTED'],
    ['a key that was cut off', { 'x-api-key': OWN.text.slice(0, -1) }, '', 'KEY_NOT_ACCEPTED'],
    [
      'a right id with another secret',
      { 'x-api-key': `gmr_${OWN.record.id}_${UNKNOWN.text.split('_')[2]}` },
      '',
      'KEY_NOT_ACCEPTED',
    ],
    ['a token with another signature', { authorization: `Bearer ${TOKEN}x` }, '', 'TOKEN_NOT_ACCEPTED'],
    [
      'the headers of Easy Auth without a token',
      {
        'x-ms-client-principal-id': APP,
        'x-ms-client-principal': 'e30=',
        'x-ms-token-aad-access-token': TOKEN,
      },
      '',
      'CALLER_UNKNOWN',
    ],
  ])(
    'refuses %s with 401, reads nothing of the request, and asks for nothing but the callers',
    async (_case, headers, query, code) => {
      const { call, asked, effects } = aRelay();
      for (const action of ['send', 'batch', 'status', 'cancel', 'own'] as const) {
        const refused = await call(action, { url: `${V1}${query}`, headers });
        expect([action, refused.status, refused.code]).toEqual([action, 401, code]);
        expect(refused.request.bodyUsed).toBe(false);
        expect(refused.logged.map(({ event }) => event)).toEqual([
          { event: 'RequestRefused', code, codes: [] },
        ]);
      }
      expect([asked, effects]).toEqual([[], []]);
    },
  );

  test('knows a key that another instance has made since, and asks only for a key that it does not know', async () => {
    const asked: string[] = [];
    const callers: Callers = {
      known: async () => {
        asked.push('known');
        return makeKnownCallers([{ ...payroll(), keys: [OWN.record] }]);
      },
      refreshed: async () => {
        asked.push('refreshed');
        return makeKnownCallers([payroll()]);
      },
    };
    const { call } = aRelay(callers);
    expect((await call('own', WAYS['a key as Bearer'])).status).toBe(200);
    expect(asked).toEqual(['known']);
    expect((await call('own', WAYS['a key in x-api-key'])).status).toBe(200);
    expect(asked).toEqual(['known', 'known', 'refreshed']);
    expect((await call('own', { url: V1, headers: { 'x-api-key': UNKNOWN.text } })).code).toBe(
      'KEY_NOT_ACCEPTED',
    );
  });

  test('takes either of two keys, and none that was revoked', async () => {
    const { call } = aRelay(knowing({ ...payroll(), keys: [SECOND.record] }));
    expect((await call('own', WAYS['a key in x-api-key'])).status).toBe(200);
    const { code, body } = await call('own', WAYS['a key as Bearer']);
    // By its id an administrator finds out whose it was.
    expect([code, body.detail]).toEqual(['KEY_NOT_ACCEPTED', expect.stringContaining(OWN.record.id)]);
  });

  test.each<[string, TokenClaims, number, string]>([
    [
      'an application that nobody declared',
      claims({ azp: '55555555-5555-4555-8555-555555555555' }),
      403,
      'CALLER_NOT_DECLARED',
    ],
    ['an application without the role', claims({ roles: [] }), 403, 'TOKEN_ROLE_MISSING'],
    ['a user', claims({ scp: 'Mail.Submit' }), 401, 'TOKEN_NOT_ACCEPTED'],
  ])('refuses the token of %s', async (_case, given, status, code) => {
    const { call, asked } = aRelay(knowing(payroll()), accepting(given));
    const refused = await call('send', WAYS['a token']);
    expect([refused.status, refused.code, asked]).toEqual([status, code, []]);
  });

  test('says 503 where nobody can tell whether a key or a token is right', async () => {
    const fail = (code: 'STORAGE_UNAVAILABLE' | 'ENTRA_KEYS_UNREACHABLE') => () =>
      Promise.reject(new AppError(code));
    const down = fail('STORAGE_UNAVAILABLE');
    const { call } = aRelay({ known: down, refreshed: down });
    expect(await call('send', WAYS['a key as Bearer'])).toMatchObject({
      status: 503,
      code: 'STORAGE_UNAVAILABLE',
    });
    const { call: other } = aRelay(knowing(payroll()), { check: fail('ENTRA_KEYS_UNREACHABLE') });
    expect(await other('send', WAYS['a token'])).toMatchObject({
      status: 503,
      code: 'ENTRA_KEYS_UNREACHABLE',
    });
  });
});

describe('GET /api/v1/caller', () => {
  test('tells a caller its own rules, in the words of the API', async () => {
    const { call } = aRelay(
      knowing(
        payroll({
          recipients: ['*@contoso.example'],
          mailsPerDay: 1000,
          maxMailBytes: 3_000_000,
          doors: ['http'],
          onUnknown: 'hold',
          tags: ['payroll'],
          owner: 'canary@contoso.example',
        }),
      ),
    );
    expect((await call('own', WAYS['a token'])).body).toEqual({
      name: 'payroll',
      senders: ['payroll@contoso.example'],
      defaultSender: 'payroll@contoso.example',
      recipients: ['*@contoso.example'],
      limits: { mailsPerDay: 1000, maxMailBytes: 3_000_000 },
      doors: ['http'],
      reads: 'own',
      onUnknown: 'hold',
      tags: ['payroll'],
      today: { resetsAt: '2026-03-03T00:00:00.000Z', mails: { limit: 1000, taken: 0 } },
    });
  });

  test('tells a caller without senders of its own those of the settings', async () => {
    const { senders: _, ...rules } = payroll().rules;
    const { call } = aRelay(knowing({ ...payroll(), rules }));
    expect((await call('own', WAYS['a token'])).body).toMatchObject({
      senders: ['noreply@contoso.example', '*@contoso.example'],
      defaultSender: 'noreply@contoso.example',
    });
  });
});

describe('/api/mail', () => {
  const nameWith = async (headers: Record<string, string>, query: Record<string, string> = {}) => {
    const request = new HttpRequest({ method: 'GET', url: MAIL_URL, headers, query });
    return (await byFunctionKey(() => ({ callers: knowing() }))(request, () => {})).name;
  };

  test('knows every function key that nobody declared as a caller of its own, in the header or in the query', async () => {
    const name = await nameWith({ 'x-functions-key': 'canary-1' });
    expect(name).toMatch(/^key:[\w-]{10}$/);
    expect(name).not.toContain('canary');
    expect(await nameWith({ 'x-functions-key': 'canary-2' })).not.toBe(name);
    for (const given of [{ code: 'canary-1' }, { CODE: 'canary-1' }, { Code: 'canary-1,canary-1' }])
      expect(await nameWith({}, given)).toBe(name);
    expect(await nameWith({ 'x-functions-key': 'canary-1,canary-1' })).toBe(name);
    // As behind a front end that adds a token of its own.
    expect(await nameWith({ 'x-functions-key': 'canary-1', authorization: `Bearer ${TOKEN}` })).toBe(name);
  });

  test('refuses all of them by the rules that they share', async () => {
    const shared = aDeclaredCaller('function-keys', { rules: { isDisabled: true } });
    const { call } = aRelay(knowing(shared, payroll({})));
    const other: Way = { url: MAIL_URL, headers: { 'x-functions-key': 'another' } };
    expect(await call('send', other)).toMatchObject({ status: 403, code: 'CALLER_DISABLED' });
    expect((await call('send', WAYS['a function key'])).status).toBe(200);
  });
});
