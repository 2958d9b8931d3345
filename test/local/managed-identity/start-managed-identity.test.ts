import { ManagedIdentityCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import { startKeyVault } from '../../../local/key-vault/start-key-vault.ts';
import {
  type ManagedIdentityEndpoint,
  type ManagedIdentityOptions,
  startManagedIdentity,
} from '../../../local/managed-identity/start-managed-identity.ts';
import { trustedCertificate } from '../certificate-for-tests.ts';

const USER_ASSIGNED = 'a1a1a1a1-0000-4000-8000-000000000001';
const SYSTEM_ASSIGNED = 'a1a1a1a1-0000-4000-8000-000000000002';
const GRAPH = 'https://graph.local.example';
const VAULT = 'https://vault.azure.net';
const STORAGE = 'https://storage.azure.com';

async function anEndpoint(rest: Partial<ManagedIdentityOptions> = {}) {
  const endpoint = await startManagedIdentity({
    port: 0,
    tenantId: LOCAL_TENANT_ID,
    identities: [{ clientId: USER_ASSIGNED, roles: { [GRAPH]: ['Mail.Send'] } }],
    resources: () => [VAULT, STORAGE, GRAPH],
    keys: await makeTokenKeys(),
    now: () => new Date(),
    ...rest,
  });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

describe('the real client', () => {
  // The client looks for its endpoint once in the life of a process, so all of these share one.
  const keys = makeTokenKeys();
  let endpoint: ManagedIdentityEndpoint;

  beforeAll(async () => {
    endpoint = await startManagedIdentity({
      port: 0,
      tenantId: LOCAL_TENANT_ID,
      identities: [
        { clientId: USER_ASSIGNED, roles: { [GRAPH]: ['Mail.Send'] } },
        { clientId: SYSTEM_ASSIGNED, systemAssigned: true },
      ],
      resources: () => [VAULT, STORAGE, GRAPH],
      keys: await keys,
      now: () => new Date(),
    });
    for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await endpoint.close();
  });

  const getToken = async (resource: string, clientId?: string) => {
    const retryOptions = { maxRetries: 0 };
    const credential = new ManagedIdentityCredential(
      clientId === undefined ? { retryOptions } : { clientId, retryOptions },
    );
    const { token, expiresOnTimestamp } = await credential.getToken(`${resource}/.default`);
    return { claims: await (await keys).verify(token), expiresOnTimestamp };
  };

  test.each([VAULT, STORAGE])('gets a token for %s, without roles', async (resource) => {
    const { claims, expiresOnTimestamp } = await getToken(resource, USER_ASSIGNED);
    expect(claims).toMatchObject({ aud: resource, appid: USER_ASSIGNED, tid: LOCAL_TENANT_ID });
    expect(claims).not.toHaveProperty('roles');
    // The library counts from its own clock, in whole seconds.
    expect(Math.abs(expiresOnTimestamp - claims.exp * 1000)).toBeLessThanOrEqual(1000);
  });

  test('gets the permissions of the identity in the token of their resource', async () => {
    const { claims } = await getToken(GRAPH, USER_ASSIGNED);
    expect(claims).toMatchObject({ aud: GRAPH, roles: ['Mail.Send'] });
  });

  test('gets the system-assigned identity when it names none', async () => {
    const { claims } = await getToken(VAULT);
    expect(claims).toMatchObject({ appid: SYSTEM_ASSIGNED });
  });

  test('reads a secret from the vault with it, as the app does in Azure', async () => {
    const secrets = await openSecretStore();
    await secrets.set('mail-secret', { value: 'v' }, new Date());
    const vault = await startKeyVault({
      tls: await trustedCertificate(),
      port: 0,
      secrets,
      tenantId: LOCAL_TENANT_ID,
      verifyToken: (await keys).verify,
      mayDo: (claims, action) => claims.appid === USER_ASSIGNED && action === 'getSecret',
      now: () => new Date(),
    });
    onTestFinished(() => vault.close());
    const options = { disableChallengeResourceVerification: true };
    const allowed = new ManagedIdentityCredential({ clientId: USER_ASSIGNED });
    const { value } = await new SecretClient(vault.url, allowed, options).getSecret('mail-secret');
    expect(value).toBe('v');
    await expect(
      new SecretClient(vault.url, new ManagedIdentityCredential(), options).getSecret('mail-secret'),
    ).rejects.toMatchObject({ statusCode: 403 });
  });

  test('says which credential failed when the identity is unknown', async () => {
    await expect(getToken(VAULT, LOCAL_TENANT_ID)).rejects.toThrow(/^ManagedIdentityCredential: /);
  });
});

test('the answer has the fields of App Service, with the expiry as text', async () => {
  const now = new Date();
  const { environment } = await anEndpoint({ now: () => now });
  const response = await fetch(
    `${environment.IDENTITY_ENDPOINT}?resource=${VAULT}&api-version=2019-08-01&client_id=${USER_ASSIGNED}`,
    { headers: { 'X-IDENTITY-HEADER': environment.IDENTITY_HEADER } },
  );
  expect(await response.json()).toEqual({
    access_token: expect.any(String),
    expires_on: String(Math.floor(now.getTime() / 1000) + 86_400),
    resource: VAULT,
    token_type: 'Bearer',
    client_id: USER_ASSIGNED,
  });
});

const GOOD = { resource: VAULT, 'api-version': '2019-08-01', client_id: USER_ASSIGNED };

test.each([
  { title: 'no header', query: GOOD, header: undefined, status: 401 },
  { title: 'another header', query: GOOD, header: 'wrong', status: 401 },
  { title: 'an unknown identity', query: { ...GOOD, client_id: LOCAL_TENANT_ID }, status: 400 },
  {
    title: 'no identity, where there is no system-assigned one',
    query: { ...GOOD, client_id: '' },
    status: 400,
  },
  { title: 'another version', query: { ...GOOD, 'api-version': '2017-09-01' }, status: 400 },
  { title: 'no resource', query: { ...GOOD, resource: '' }, status: 400 },
  { title: 'an unknown resource', query: { ...GOOD, resource: 'https://x.example' }, status: 400 },
])('$title is refused with $status', async ({ query, status, ...rest }) => {
  const { environment } = await anEndpoint();
  const header = 'header' in rest ? rest.header : environment.IDENTITY_HEADER;
  const fields = Object.entries(query).filter(([, value]) => value !== '');
  const response = await fetch(`${environment.IDENTITY_ENDPOINT}?${new URLSearchParams(fields)}`, {
    headers: header === undefined ? {} : { 'X-IDENTITY-HEADER': header },
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ statusCode: status, message: expect.any(String) });
});
