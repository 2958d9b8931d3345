import {
  AuthenticationRequiredError,
  ClientSecretCredential,
  CredentialUnavailableError,
} from '@azure/identity';
import { decodeJwt } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { contoso, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { type EntraOptions, startEntra } from '../../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { trustedCertificate } from '../certificate-for-tests.ts';

// Every character that a form has to encode.
const SECRET = 'Q_e8~a+b/c=d&e%f g';
const GRAPH = 'https://127.0.0.1:4433';
const SCOPE = `${GRAPH}/.default`;
const EXPIRED_APP = '11111111-1111-4111-8111-111111111111';
const DISABLED_APP = '22222222-2222-4222-8222-222222222222';

function directoryWithTroubles() {
  const directory = contoso(SECRET, new Date());
  const [app] = directory.apps;
  if (app === undefined) throw new Error('Contoso has no app');
  const expired = { ...app, clientId: EXPIRED_APP, secrets: [{ value: SECRET, expiresOn: new Date(0) }] };
  return { ...directory, apps: [app, expired, { ...app, clientId: DISABLED_APP, enabled: false }] };
}

async function anEntra(rest: Partial<EntraOptions> = {}) {
  const entra = await startEntra({
    tls: await trustedCertificate(),
    port: 0,
    directory: directoryWithTroubles,
    audiences: () => [GRAPH],
    keys: await makeTokenKeys(),
    now: () => new Date(),
    ...rest,
  });
  onTestFinished(() => entra.close());
  return entra;
}

type Asks = { tenant?: string; client?: string; secret?: string; scope?: string };

const getToken = (url: string, { tenant, client, secret, scope }: Asks = {}) =>
  new ClientSecretCredential(tenant ?? LOCAL_TENANT_ID, client ?? LOCAL_CLIENT_ID, secret ?? SECRET, {
    authorityHost: url,
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 0 },
  }).getToken(scope ?? SCOPE);

const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${url}/${LOCAL_TENANT_ID}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
  });

test('the real client gets a token that the same keys verify, and that lives 60 to 90 minutes', async () => {
  const keys = await makeTokenKeys();
  const entra = await anEntra({ keys });
  const { token, expiresOnTimestamp } = await getToken(entra.url);
  expect(await keys.verify(token)).toMatchObject({
    aud: GRAPH,
    appid: LOCAL_CLIENT_ID,
    tid: LOCAL_TENANT_ID,
    roles: ['Mail.Send'],
  });
  const minutes = (expiresOnTimestamp - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(59);
  expect(minutes).toBeLessThan(91);
});

test('a token of other keys, and one whose time is over, are not verified', async () => {
  const entra = await anEntra();
  const { token } = await getToken(entra.url);
  await expect((await makeTokenKeys()).verify(token)).rejects.toThrow('signature');

  let now = new Date();
  const keys = await makeTokenKeys(() => now);
  const signed = await keys.sign({ ...decodeJwt(token), aud: GRAPH } as Parameters<typeof keys.sign>[0]);
  await expect(keys.verify(signed)).resolves.toMatchObject({ aud: GRAPH });
  now = new Date(now.getTime() + 86_400_000);
  await expect(keys.verify(signed)).rejects.toThrow('exp');
});

// What the app's mapping of Entra's errors rests on: the class, and where the AADSTS number is to be found.
test.each([
  { title: 'a wrong secret', asks: { secret: 'wrong' }, code: 7000215, oauth: 'invalid_client', status: 401 },
  {
    title: 'an expired secret',
    asks: { client: EXPIRED_APP },
    code: 7000222,
    oauth: 'invalid_client',
    status: 401,
  },
  {
    title: 'an unknown app',
    asks: { client: LOCAL_TENANT_ID },
    code: 700016,
    oauth: 'unauthorized_client',
    status: 400,
  },
  {
    title: 'a disabled app',
    asks: { client: DISABLED_APP },
    code: 7000112,
    oauth: 'unauthorized_client',
    status: 400,
  },
  {
    title: 'a scope without /.default',
    asks: { scope: `${GRAPH}/Mail.Send` },
    code: 1002012,
    oauth: 'invalid_scope',
    status: 400,
  },
  {
    title: 'the Graph of another cloud',
    asks: { scope: 'https://graph.microsoft.us/.default' },
    code: 500011,
    oauth: 'invalid_resource',
    status: 400,
  },
])(
  'the real client reports $title as AuthenticationRequiredError with AADSTS$code in its cause',
  async (row) => {
    const entra = await anEntra();
    const error = await getToken(entra.url, row.asks).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AuthenticationRequiredError);
    expect(error).toMatchObject({
      message: expect.stringMatching(new RegExp(`^${row.oauth}: .*AADSTS${row.code}: `)),
      cause: { errorCode: row.oauth, errorNo: row.code, status: row.status },
    });
    expect(error).not.toHaveProperty('errorResponse');
    expect(entra.tokenRequests().map(({ outcome }) => outcome)).toEqual([row.code]);
  },
);

test.each([
  { title: 'an unknown tenant', asks: { tenant: 'nowhere.example' } },
  { title: 'a malformed tenant', asks: { tenant: 'nowhere' } },
])('the real client hides $title behind endpoints_resolution_error', async ({ asks }) => {
  const entra = await anEntra();
  const error = await getToken(entra.url, asks).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CredentialUnavailableError);
  expect(String(error)).toContain('endpoints_resolution_error');
});

test.each([
  { tenant: 'nowhere.example', code: 90002, error: 'invalid_tenant' },
  { tenant: 'nowhere', code: 900023, error: 'invalid_request' },
])('the discovery document of $tenant says AADSTS$code', async ({ tenant, code, error }) => {
  const entra = await anEntra();
  const response = await fetch(`${entra.url}/${tenant}/v2.0/.well-known/openid-configuration`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error, error_codes: [code] });
});

test('an error has the fields of the real service, and the correlation id of the request', async () => {
  const entra = await anEntra({ now: () => new Date('2026-11-21T08:01:02.345Z') });
  const correlationId = '0a1b2c3d-0000-4000-8000-000000000000';
  const response = await post(
    entra.url,
    { grant_type: 'client_credentials', client_id: LOCAL_CLIENT_ID, scope: SCOPE, client_secret: 'wrong' },
    { 'client-request-id': correlationId },
  );
  expect(response.status).toBe(401);
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toEqual({
    error: 'invalid_client',
    error_description: expect.stringMatching(
      /^AADSTS7000215: Invalid client secret provided\. .* Trace ID: .* Correlation ID: .* Timestamp: 2026-11-21 08:01:02Z$/,
    ),
    error_codes: [7000215],
    timestamp: '2026-11-21 08:01:02Z',
    trace_id: response.headers.get('x-ms-request-id'),
    correlation_id: correlationId,
    error_uri: `${entra.url}/error?code=7000215`,
  });
});

test('the secret may come in an HTTP Basic header, form-encoded', async () => {
  const entra = await anEntra();
  const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
  const basic = Buffer.from(`${encode(LOCAL_CLIENT_ID)}:${encode(SECRET)}`).toString('base64');
  const response = await post(
    entra.url,
    { grant_type: 'client_credentials', scope: SCOPE },
    { authorization: `Basic ${basic}` },
  );
  expect(await response.json()).toMatchObject({ token_type: 'Bearer', access_token: expect.any(String) });
});

test('a body that is not a form is a request without parameters', async () => {
  const entra = await anEntra();
  const response = await fetch(`${entra.url}/${LOCAL_TENANT_ID}/oauth2/v2.0/token`, {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'client_credentials' }),
    headers: { 'content-type': 'application/json' },
  });
  expect(await response.json()).toMatchObject({ error_codes: [900144] });
});

test('a token is asked for by POST only', async () => {
  const entra = await anEntra();
  const response = await fetch(`${entra.url}/${LOCAL_TENANT_ID}/oauth2/v2.0/token`);
  expect(await response.json()).toMatchObject({ error_codes: [900561] });
});

test('requests are remembered without the secret', async () => {
  const entra = await anEntra();
  await getToken(entra.url);
  await getToken(entra.url, { secret: 'canary-secret' }).catch(() => {});
  const text = await (await fetch(`${entra.url}/_control/requests`)).text();
  expect(JSON.parse(text)).toMatchObject({
    tokenRequests: [
      { clientId: LOCAL_CLIENT_ID, tenant: LOCAL_TENANT_ID, scope: SCOPE, outcome: 'issued' },
      { outcome: 7000215 },
    ],
  });
  expect(text).not.toContain('canary-secret');
  expect(text).not.toContain(SECRET);
});

test('a fault that was asked for strikes as often as it was asked to, and where', async () => {
  const entra = await anEntra();
  const control = await fetch(`${entra.url}/_control/faults`, {
    method: 'POST',
    body: JSON.stringify({ path: 'oauth2', status: 503, retryAfter: 7, times: 2 }),
  });
  expect(control.status).toBe(200);
  for (const _ of [1, 2]) {
    const response = await post(entra.url, {});
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
  }
  await expect(getToken(entra.url)).resolves.toBeDefined();
});

test('the real client reports a cut connection as network_error without a status', async () => {
  const entra = await anEntra();
  entra.faults.add({ path: 'oauth2', reset: true });
  const error = await getToken(entra.url).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AuthenticationRequiredError);
  expect(error).toMatchObject({ cause: { errorCode: 'network_error' } });
});

test('a fault that makes no sense is refused with what was expected', async () => {
  const entra = await anEntra();
  const response = await fetch(`${entra.url}/_control/faults`, {
    method: 'POST',
    body: JSON.stringify({ times: 2 }),
  });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('Expected at least one of status, reset and delayMs');
});

test('a path that does not exist says so', async () => {
  const entra = await anEntra();
  expect((await fetch(`${entra.url}/%E0%A4%A/x`)).status).toBe(404);
});
