import { describe, expect, test } from 'vitest';
import { contoso, type Directory, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { decideToken } from '../../../local/entra/decide-token.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import type { TokenRequest } from '../../../local/entra/token-request.ts';

const NOW = new Date('2026-11-21T08:00:00Z');
const GRAPH = 'https://127.0.0.1:4433';
const keys = await makeTokenKeys(() => NOW);

const aRequest = (rest: Partial<TokenRequest> = {}): TokenRequest => ({
  tenant: LOCAL_TENANT_ID,
  grantType: 'client_credentials',
  clientId: LOCAL_CLIENT_ID,
  clientSecret: 'right',
  clientAssertion: undefined,
  scope: `${GRAPH}/.default`,
  ...rest,
});

const aDirectory = (app: Partial<Directory['apps'][number]> = {}): Directory => {
  const directory = contoso('right', NOW);
  return { ...directory, apps: directory.apps.map((one) => ({ ...one, ...app })) };
};

const decide = (request: TokenRequest, directory = aDirectory(), now = NOW) =>
  decideToken(request, {
    directory,
    audiences: [GRAPH],
    authority: 'https://127.0.0.1:8443',
    tokenEndpoint: `https://127.0.0.1:8443/${LOCAL_TENANT_ID}/oauth2/v2.0/token`,
    verifyOwn: keys.verifyAny,
    lifetimeSeconds: 4000,
    now,
  });

const refusal = async (...args: Parameters<typeof decide>) => {
  const decision = await decide(...args);
  return 'refused' in decision ? decision.refused : undefined;
};

const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

test('a token names the tenant, the app, its roles and the resource of the scope', async () => {
  expect(await decide(aRequest())).toEqual({
    claims: {
      aud: GRAPH,
      iss: `https://sts.windows.net/${LOCAL_TENANT_ID}/`,
      tid: LOCAL_TENANT_ID,
      appid: LOCAL_CLIENT_ID,
      roles: ['Mail.Send'],
      iat: NOW.getTime() / 1000 - 300,
      nbf: NOW.getTime() / 1000 - 300,
      exp: NOW.getTime() / 1000 + 4000,
    },
  });
});

test('an app without consented permissions gets a token without the claim roles', async () => {
  const decision = await decide(aRequest(), aDirectory({ roles: [] }));
  expect('claims' in decision && Object.keys(decision.claims)).not.toContain('roles');
});

test('the tenant may be named by its domain, and ids in any case', async () => {
  expect(await refusal(aRequest({ tenant: 'Contoso.Example' }))).toBeUndefined();
  expect(await refusal(aRequest({ tenant: LOCAL_TENANT_ID.toUpperCase() }))).toBeUndefined();
  expect(await refusal(aRequest({ clientId: LOCAL_CLIENT_ID.toUpperCase() }))).toBeUndefined();
});

const OTHER = '55555555-5555-4555-8555-555555555555';

test.each([
  { asks: { tenant: OTHER }, code: 90002, status: 400, error: 'invalid_request' },
  { asks: { tenant: 'nowhere.example' }, code: 90002, status: 400, error: 'invalid_request' },
  { asks: { tenant: 'nowhere' }, code: 900023, status: 400, error: 'invalid_request' },
  { asks: { tenant: '../x' }, code: 900023, status: 400, error: 'invalid_request' },
  { asks: { tenant: 'common' }, code: 9001023, status: 400, error: 'invalid_request' },
  { asks: { grantType: undefined }, code: 900144, status: 400, error: 'invalid_request' },
  { asks: { grantType: 'urn:x' }, code: 70003, status: 400, error: 'unsupported_grant_type' },
  { asks: { clientId: undefined }, code: 900144, status: 400, error: 'invalid_request' },
  { asks: { clientId: OTHER }, code: 700016, status: 400, error: 'unauthorized_client' },
  { asks: { scope: undefined }, code: 900144, status: 400, error: 'invalid_request' },
  { asks: { scope: `${GRAPH}/Mail.Send` }, code: 1002012, status: 400, error: 'invalid_scope' },
  { asks: { scope: 'nonsense/.default' }, code: 70011, status: 400, error: 'invalid_scope' },
  { asks: { scope: '/.default' }, code: 70011, status: 400, error: 'invalid_scope' },
  {
    asks: { scope: `${GRAPH}/.default ${GRAPH}/.default` },
    code: 70011,
    status: 400,
    error: 'invalid_scope',
  },
  {
    asks: { scope: 'https://graph.microsoft.us/.default' },
    code: 500011,
    status: 400,
    error: 'invalid_resource',
  },
  { asks: { clientSecret: undefined }, code: 7000216, status: 401, error: 'invalid_client' },
  { asks: { clientSecret: 'wrong' }, code: 7000215, status: 401, error: 'invalid_client' },
  {
    asks: { clientSecret: undefined, clientAssertion: 'a.b.c' },
    code: 50027,
    status: 400,
    error: 'invalid_request',
  },
])('$asks is refused with AADSTS$code', async ({ asks, code, status, error }) => {
  expect(await refusal(aRequest(asks))).toMatchObject({ code, status, error });
});

test('a disabled application is refused with AADSTS7000112', async () => {
  expect(await refusal(aRequest(), aDirectory({ enabled: false }))).toMatchObject({
    code: 7000112,
    status: 400,
    error: 'unauthorized_client',
  });
});

describe('secrets over time', () => {
  const oldAndNew = aDirectory({
    secrets: [
      { value: 'old', expiresOn: later(60) },
      { value: 'new', expiresOn: later(9999), usableFrom: later(15) },
    ],
  });

  test.each([
    { secret: 'old', after: 59, code: undefined },
    { secret: 'old', after: 60, code: 7000222 },
    { secret: 'new', after: 14, code: 7000215 },
    { secret: 'new', after: 15, code: undefined },
  ])('$secret after $after seconds: $code', async ({ secret, after, code }) => {
    expect((await refusal(aRequest({ clientSecret: secret }), oldAndNew, later(after)))?.code).toBe(code);
  });

  test('of two secrets with the same value, one that is still valid is enough', async () => {
    const twice = aDirectory({
      secrets: [
        { value: 'right', expiresOn: later(-1) },
        { value: 'right', expiresOn: later(10) },
      ],
    });
    expect(await refusal(aRequest(), twice)).toBeUndefined();
  });
});
