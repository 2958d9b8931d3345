import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { opsHttp } from '../../src/functions/ops.http.ts';
import type { KeyVerdict, OpsSignIn } from '../../src/lib/desk/identify-operator.ts';
import { SESSION_MS, VERIFY_AGAIN_MS } from '../../src/lib/desk/operator-session.ts';
import { makeSignInLimit } from '../../src/lib/desk/sign-in-limit.ts';
import { AppError } from '../../src/lib/errors.ts';
import { aDelivery } from '../support/a-delivery.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const HOST = 'https://relay.contoso.example';

/** The page with everything in memory, and a host that knows one master key. */
const page = ({
  signIn = 'key',
  hasEasyAuth = false,
}: {
  readonly signIn?: OpsSignIn;
  readonly hasEasyAuth?: boolean;
} = {}) => {
  const world = inMemoryPorts();
  const checked: string[] = [];
  let masterKey: string | undefined = 'right-key';
  const verdict = (key: string): KeyVerdict => {
    checked.push(key);
    if (masterKey === undefined) return 'unknown';
    return key === masterKey ? 'right' : 'wrong';
  };
  const { needs } = world;
  const handler = opsHttp(
    () => ({
      ...needs,
      signIn,
      hasEasyAuth,
      checkMasterKey: async (key) => verdict(key),
      signInLimit,
      declaredInSettings: () => [],
      overview: {
        recentDoctor: async () => {
          throw new AppError('STORAGE_UNAVAILABLE');
        },
        storage: () => needs,
        queues: () => ({}),
        connections: () => [],
        lastRuns: {},
        clock: needs.clock,
        log: needs.log,
      },
      sendTestMail: async () => {
        throw new AppError('MAIL_DISABLED');
      },
    }),
    '1.2.3',
  );
  const signInLimit = makeSignInLimit();
  const ask = async (path: string, init: HttpRequestInit = {}): Promise<HttpResponseInit> =>
    handler(
      new HttpRequest({
        method: 'GET',
        url: `${HOST}/api/ops${path === '' ? '' : `/${path}`}`,
        params: { path: path.split('?')[0] ?? '' },
        ...init,
      }),
      invocation().context,
    ) as Promise<HttpResponseInit>;
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
        host: 'relay.contoso.example',
        ...headers,
      },
      body: { string: String(new URLSearchParams(fields)) },
    });
  return {
    ...world,
    ask,
    post,
    checked,
    /** What the host says is the master key from now on; undefined: it cannot be asked. */
    renew: (key: string | undefined) => {
      masterKey = key;
    },
    signIn: async (key = 'right-key', headers: Record<string, string> = {}) => {
      const answer = await post('session', { key, name: 'Grace Hopper', next: '/api/ops/held' }, headers);
      const [cookie] = answer.cookies ?? [];
      return { answer, cookie: `${cookie?.name}=${cookie?.value}`, attributes: cookie };
    },
  };
};

const tokenIn = ({ body }: HttpResponseInit): string =>
  /name="token" value="([^"]+)"/.exec(String(body))?.[1] ?? '';

const principal = (roles: readonly string[], type = 'aad'): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(
    JSON.stringify({
      auth_typ: type,
      name_typ: 'name',
      role_typ: 'roles',
      claims: [
        { typ: 'oid', val: '6f1c2b7e-0000-4000-8000-000000000001' },
        { typ: 'preferred_username', val: 'grace@contoso.example' },
        ...roles.map((val) => ({ typ: 'roles', val })),
      ],
    }),
  ).toString('base64'),
});

describe('an operator with the master key', () => {
  test('gets a cookie for this page alone, sealed, over TLS only, and goes on where they wanted to go', async () => {
    const { signIn } = page();
    const { answer, attributes } = await signIn();
    expect(answer).toMatchObject({ status: 303, headers: { location: '/api/ops/held' } });
    expect(attributes).toMatchObject({
      name: 'relay-ops',
      path: '/api/ops',
      httpOnly: true,
      secure: true,
      sameSite: 'Strict',
    });
    expect(Buffer.from(attributes?.value ?? '', 'base64url').toString('latin1')).not.toContain('right-key');
  });

  test.each([
    '//evil.example',
    'https://evil.example',
    '/api/opsx',
    '/api/ops/\\evil',
    '/api/ops/../../evil',
    '/api/ops/%2E%2e/evil',
    '/api/ops/..%2f..%2Fevil',
    '/api/ops/..%5cevil',
  ])('never goes on to %s', async (next) => {
    const { post } = page();
    const answer = await post('session', { key: 'right-key', name: 'Grace', next });
    expect(answer.headers).toMatchObject({ location: '/api/ops' });
  });

  test.each([
    ['another key', 'wrong-key', 401],
    ['nothing', '', 401],
    ['what cannot be in a header', 'a\r\nb', 401],
  ])('is refused with %s, and gets no cookie', async (_case, key, status) => {
    const { signIn } = page();
    const { answer } = await signIn(key);
    expect(answer.status).toBe(status);
    expect(answer.cookies).toEqual([]);
  });

  test('is refused without a name, before the host is asked', async () => {
    const { post, checked } = page();
    const answer = await post('session', { key: 'right-key', name: ' ' });
    expect([answer.status, checked]).toEqual([400, []]);
  });

  test('who mistypes five times waits, and others do not', async () => {
    const { signIn, checked } = page();
    for (let time = 0; time < 5; time += 1)
      await signIn('wrong', { 'x-forwarded-for': '9.9.9.9, 192.0.2.1:50' });
    const { answer } = await signIn('right-key', { 'x-forwarded-for': '192.0.2.1:51' });
    expect([answer.status, checked.length]).toEqual([429, 5]);
    const other = await signIn('right-key', { 'x-forwarded-for': '192.0.2.2' });
    expect(other.answer.status).toBe(303);
  });

  test('has a session until the master key is renewed, which the host is asked about every five minutes', async () => {
    const { signIn, ask, pass, renew, checked } = page();
    const { cookie } = await signIn();
    expect((await ask('held', { headers: { cookie } })).status).toBe(200);
    expect(checked).toHaveLength(1);
    pass(VERIFY_AGAIN_MS);
    const later = await ask('held', { headers: { cookie } });
    expect([later.status, later.cookies?.length, checked.length]).toEqual([200, 1, 2]);
    renew('another-key');
    expect((await ask('held', { headers: { cookie } })).status).toBe(401);
    renew(undefined);
    const unsure = await ask('held', { headers: { cookie } });
    expect([unsure.status, String(unsure.body)]).toEqual([401, expect.stringContaining('cannot check')]);
  });

  test('has a session for eight hours, however often it is used', async () => {
    const { signIn, ask, pass } = page();
    const { cookie } = await signIn();
    pass(SESSION_MS);
    const answer = await ask('held', { headers: { cookie } });
    expect([answer.status, String(answer.body)]).toEqual([401, expect.stringContaining('has ended')]);
  });

  test.each(['relay-ops=', 'relay-ops=AAAA', `relay-ops=${Buffer.alloc(200).toString('base64url')}`])(
    'has no session with the cookie %s',
    async (cookie) => {
      expect((await page().ask('held', { headers: { cookie } })).status).toBe(401);
    },
  );

  test('who follows a link from another site is asked to load the page once more, with the cookie', async () => {
    const answer = await page().ask('held', { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(answer.headers).toMatchObject({ refresh: '0; url=/api/ops/held' });
  });
});

describe('a form', () => {
  const { mailId, rows } = aDelivery();

  const decided = async (headers: Record<string, string>, change: Record<string, string> = {}) => {
    const world = page();
    world.ledger.create(rows.held);
    const { cookie } = await world.signIn();
    const token = tokenIn(await world.ask(`mail/${mailId}`, { headers: { cookie } }));
    const fields = { token, id: mailId, action: 'close', note: 'Found', ...change };
    const answer = await world.post('decide', fields, { cookie, ...headers });
    return { answer, state: world.row(mailId)?.state };
  };

  test('of the page itself is carried out, and leads to its result', async () => {
    const { answer, state } = await decided({});
    expect([answer.status, state]).toEqual([303, 'closed']);
  });

  test.each([
    ['comes from another site', { 'sec-fetch-site': 'cross-site' }, {}, 'FORM_FOREIGN'],
    ['comes from another host of the same domain', { 'sec-fetch-site': 'same-site' }, {}, 'FORM_FOREIGN'],
    ['has no token', {}, { token: '' }, 'FORM_EXPIRED'],
    ['has the token of another session', {}, { token: '9999999999999.AAAA' }, 'FORM_EXPIRED'],
    ['asks for nothing that there is', {}, { action: 'delete' }, 'FORM_INVALID'],
    ['closes without a note', {}, { note: '' }, 'NOTE_MISSING'],
    ['names no email', {}, { id: 'x' }, 'FORM_INVALID'],
  ])('that %s is not carried out', async (_case, headers, change, code) => {
    const { answer, state } = await decided(
      headers as Record<string, string>,
      change as Record<string, string>,
    );
    expect(String(answer.body)).toContain(code);
    expect(state).toBe('held');
  });

  test('with the box for all of the page is carried out for every email that the page listed', async () => {
    const { answer, state } = await decided({}, { id: '', all: 'yes', listed: mailId });
    expect([answer.status, state]).toEqual([303, 'closed']);
  });

  test('of an act that cannot be written into the trail is not carried out', async () => {
    const world = page();
    world.ledger.create(rows.held);
    const { cookie } = await world.signIn();
    const token = tokenIn(await world.ask(`mail/${mailId}`, { headers: { cookie } }));
    Object.assign(world.needs.operatorTrail, {
      begin: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')),
    });
    const answer = await world.post('decide', { token, id: mailId, action: 'close', note: 'x' }, { cookie });
    expect([answer.status, world.row(mailId)?.state]).toEqual([503, 'held']);
  });
});

describe('with Entra', () => {
  test('the header counts only where App Service itself says that its authentication is on', async () => {
    const headers = principal(['Relay.Operate']);
    expect((await page({ signIn: 'entra' }).ask('held', { headers })).status).toBe(503);
    expect((await page({ signIn: 'key', hasEasyAuth: true }).ask('held', { headers })).status).toBe(401);
    expect((await page({ signIn: 'entra', hasEasyAuth: true }).ask('held', { headers })).status).toBe(200);
  });

  test.each([
    ['no role', ['Mail.Submit'], 403],
    ['the role to read', ['Relay.Read'], 200],
    ['the role to operate', ['Relay.Operate'], 200],
  ])('an account with %s', async (_case, roles, status) => {
    const answer = await page({ signIn: 'entra', hasEasyAuth: true }).ask('held', {
      headers: principal(roles),
    });
    expect(answer.status).toBe(status);
    expect(String(answer.body)).toContain('grace@contoso.example');
  });

  test('an account that may only read has no form, and cannot send one', async () => {
    const { mailId, rows } = aDelivery();
    const world = page({ signIn: 'entra', hasEasyAuth: true });
    world.ledger.create(rows.held);
    const headers = principal(['Relay.Read']);
    const shown = await world.ask(`mail/${mailId}`, { headers });
    expect(String(shown.body)).not.toContain('/decide');
    const fields = { token: tokenIn(shown), id: mailId, action: 'close', note: 'x' };
    const answer = await world.post('decide', fields, headers);
    expect([answer.status, String(answer.body)]).toEqual([
      403,
      expect.stringContaining('OPERATOR_READ_ONLY'),
    ]);
    expect(world.row(mailId)?.state).toBe('held');
  });

  test.each([
    ['of another provider', principal(['Relay.Operate'], 'google')],
    ['that cannot be read', { 'x-ms-client-principal': '%%%' }],
  ])('a header %s is nobody', async (_case, headers) => {
    const answer = await page({ signIn: 'entra', hasEasyAuth: true }).ask('held', { headers });
    expect([answer.status, String(answer.body)]).toEqual([401, expect.stringContaining('/.auth/login/aad')]);
  });
});

describe('a search', () => {
  const found = async (fields: Record<string, string>) => {
    const world = page({ signIn: 'entra', hasEasyAuth: true });
    const headers = principal(['Relay.Read']);
    const token = tokenIn(await world.ask('mail', { headers }));
    return { world, headers, answer: await world.post('mail', { token, ...fields }, headers) };
  };

  test('leads to an address that can be kept, without the fields that are empty', async () => {
    const { answer } = await found({ sender: 'payroll@contoso.example', tag: '', recipient: '' });
    expect([answer.status, (answer.headers as Record<string, string>).location]).toEqual([
      303,
      '/api/ops/mail?sender=payroll%40contoso.example',
    ]);
  });

  test.each([
    { recipient: 'ada@fabrikam.example' },
    { idempotencyKey: 'order-4711', sender: 'payroll@contoso.example' },
  ])('for %j has no address, as the host logs those, and no link repeats one that has it', async (fields) => {
    const { world, headers, answer } = await found(fields);
    expect(answer.status).toBe(200);
    const [value = ''] = Object.values(fields);
    expect(String(answer.body)).toContain(`value="${value}"`);
    expect(String(answer.body)).not.toMatch(new RegExp(`(?:href|action)="[^"]*${value}`));
    const asked = await world.ask(`mail?${new URLSearchParams(fields)}`, {
      headers,
      query: fields,
    });
    expect([asked.status, String(asked.body)]).toEqual([400, expect.stringContaining('the host logs')]);
    expect(String(asked.body)).not.toContain(value);
    const signedOut = await world.ask(`mail?${new URLSearchParams(fields)}`);
    expect(String(signedOut.body)).not.toContain(encodeURIComponent(value));
  });

  test('with wrong values shows its form again with every entry, and each message at its field', async () => {
    const entries = {
      sender: 'payroll',
      tag: 'two words',
      recipient: 'Ada <ada@fabrikam.example>',
      graphRequestId: '<b>',
      from: '2026-03-02T08:00',
      until: '2026-03-02T07:00',
    };
    const { answer } = await found(entries);
    expect(answer.status).toBe(400);
    const body = String(answer.body);
    expect(body).toContain('Correct the 4 fields');
    for (const [name, value] of Object.entries(entries))
      expect(body).toContain(
        `id="${name}" name="${name}" type="${name === 'from' || name === 'until' ? 'datetime-local' : 'text'}" value="${value.replaceAll('<', '&lt;').replaceAll('>', '&gt;')}"`,
      );
    const wrong = [...body.matchAll(/aria-invalid="true" aria-describedby="(\w+)-fault"/g)];
    expect(wrong.map(([, name]) => name)).toEqual(['sender', 'tag', 'until', 'graphRequestId']);
    for (const [, name] of wrong) expect(body).toContain(`<p class="fault" id="${name}-fault">Expected `);
  });

  test('that has wrong values in its address shows them as they were written', async () => {
    const world = page({ signIn: 'entra', hasEasyAuth: true });
    const query = { from: 'yesterday', state: 'gone' };
    const answer = await world.ask(`mail?${new URLSearchParams(query)}`, {
      headers: principal(['Relay.Read']),
      query,
    });
    expect(answer.status).toBe(400);
    expect(String(answer.body)).toContain('type="text" value="yesterday"');
    expect(String(answer.body)).toContain('aria-describedby="state-fault"');
  });

  test('is answered only with the token of the session', async () => {
    const { answer } = await found({ recipient: 'ada@fabrikam.example', token: '' });
    expect(String(answer.body)).toContain('FORM_EXPIRED');
  });
});

test('where the page is off, there is nothing at its address', async () => {
  expect((await page({ signIn: 'off' }).ask('')).status).toBe(404);
});

test('one part of the overview that fails hides no other', async () => {
  const world = page();
  const { cookie } = await world.signIn();
  const answer = await world.ask('', { headers: { cookie } });
  expect(answer.status).toBe(200);
  expect(String(answer.body)).toContain('STORAGE_UNAVAILABLE');
  expect(String(answer.body)).toContain('No email is held.');
});
