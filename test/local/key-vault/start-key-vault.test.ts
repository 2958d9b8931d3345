import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { expect, onTestFinished, test } from 'vitest';
import { LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { toAppOnlyClaims } from '../../../local/entra/app-only-claims.ts';
import { makeTokenKeys, type TokenKeys } from '../../../local/entra/token-keys.ts';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import {
  type KeyVaultOptions,
  startKeyVault,
  VAULT_RESOURCE,
} from '../../../local/key-vault/start-key-vault.ts';
import { trustedCertificate } from '../certificate-for-tests.ts';

const NOW = new Date('2026-11-21T08:00:00Z');

async function aVault(rest: Partial<KeyVaultOptions> = {}) {
  const keys = await makeTokenKeys();
  const secrets = await openSecretStore();
  const vault = await startKeyVault({
    tls: await trustedCertificate(),
    port: 0,
    secrets,
    tenantId: LOCAL_TENANT_ID,
    verifyToken: keys.verify,
    now: () => NOW,
    ...rest,
  });
  onTestFinished(() => vault.close());
  return { vault, keys, secrets, client: aClient(vault.url, aCredential(keys)) };
}

const aClient = (url: string, credential: TokenCredential) =>
  new SecretClient(url, credential, {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
  });

/** Signs what the challenge asks for, and remembers it. */
function aCredential(keys: TokenKeys, change: { resource?: string; tenantId?: string } = {}) {
  const asked: { scopes: string | string[]; tenantId: string | undefined }[] = [];
  return {
    asked,
    async getToken(scopes: string | string[], options?: { tenantId?: string }) {
      asked.push({ scopes, tenantId: options?.tenantId });
      const claims = toAppOnlyClaims({
        tenantId: change.tenantId ?? LOCAL_TENANT_ID,
        clientId: LOCAL_CLIENT_ID,
        resource: change.resource ?? VAULT_RESOURCE,
        roles: [],
        now: new Date(),
        lifetimeSeconds: 3600,
      });
      return { token: await keys.sign(claims), expiresOnTimestamp: claims.exp * 1000 };
    },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const caught = (work: Promise<unknown>) => work.catch((error: unknown) => error);

test('the real client is challenged once, asks for the vault resource in the tenant, and keeps the token', async () => {
  const { vault, keys, secrets } = await aVault();
  await secrets.set('mail-secret', { value: 'v' }, NOW);
  const credential = aCredential(keys);
  const client = aClient(vault.url, credential);
  await client.getSecret('mail-secret');
  await client.getSecret('mail-secret');
  expect(credential.asked).toEqual([{ scopes: [`${VAULT_RESOURCE}/.default`], tenantId: LOCAL_TENANT_ID }]);
  expect(vault.requests().map(({ status }) => status)).toEqual([401, 200, 200]);
});

test('the challenge is an answer of Key Vault: 401, the tenant to sign in at, and the resource', async () => {
  const { vault } = await aVault();
  const response = await fetch(`${vault.url}/secrets?api-version=7.6`);
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe(
    `Bearer authorization="https://login.microsoftonline.com/${LOCAL_TENANT_ID}", resource="https://vault.azure.net"`,
  );
  expect(await response.json()).toEqual({
    error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' },
  });
});

test('what the real client sets it reads back: value, type, tags, dates and version', async () => {
  const { vault, client } = await aVault();
  const expiresOn = new Date('2027-01-31T00:00:00Z');
  const notBefore = new Date('2026-11-01T00:00:00Z');
  const set = await client.setSecret('mail-secret', 'välue', {
    expiresOn,
    notBefore,
    contentType: 'text/plain',
    tags: { app: 'relay' },
  });
  const read = await client.getSecret('mail-secret');
  expect(read.value).toBe('välue');
  expect(read.properties).toMatchObject({
    name: 'mail-secret',
    version: set.properties.version,
    vaultUrl: vault.url,
    enabled: true,
    expiresOn,
    notBefore,
    createdOn: NOW,
    updatedOn: NOW,
    contentType: 'text/plain',
    tags: { app: 'relay' },
  });
});

test('a secret that has expired, or is not valid yet, is answered all the same', async () => {
  const { client } = await aVault();
  await client.setSecret('old', 'o', { expiresOn: new Date('2020-01-01T00:00:00Z') });
  await client.setSecret('early', 'e', { notBefore: new Date('2030-01-01T00:00:00Z') });
  expect((await client.getSecret('old')).value).toBe('o');
  expect((await client.getSecret('early')).value).toBe('e');
});

test('each setting is a new version; without a version the last one is answered', async () => {
  let now = NOW;
  const { client } = await aVault({ now: () => now });
  const first = await client.setSecret('mail-secret', 'one');
  now = new Date(NOW.getTime() + 60_000);
  const second = await client.setSecret('mail-secret', 'two');
  expect((await client.getSecret('mail-secret')).value).toBe('two');
  const version = first.properties.version ?? '';
  expect((await client.getSecret('mail-secret', { version })).value).toBe('one');
  const versions = await all(client.listPropertiesOfSecretVersions('mail-secret'));
  expect(versions.map((one) => [one.version, one.createdOn])).toEqual(
    [
      [first.properties.version, NOW],
      [second.properties.version, now],
    ].toSorted(),
  );
});

test('secrets and versions are listed across pages, disabled ones among them', async () => {
  const { client, secrets } = await aVault();
  const names = Array.from({ length: 53 }, (_, index) => `secret-${String(index).padStart(2, '0')}`);
  for (const name of names) await secrets.set(name, { value: 'v', enabled: name !== 'secret-07' }, NOW);
  for (const _ of names) await secrets.set('many', { value: 'v' }, NOW);

  const listed = await all(client.listPropertiesOfSecrets());
  expect(listed.map(({ name }) => name)).toEqual(['many', ...names]);
  expect(listed.find(({ name }) => name === 'secret-07')?.enabled).toBe(false);
  expect(listed[0]).not.toHaveProperty('value');

  const pages = await all(client.listPropertiesOfSecretVersions('many').byPage({ maxPageSize: 10 }));
  expect(pages.map((page) => page.length)).toEqual([10, 10, 10, 10, 10, 3]);
  expect(new Set(pages.flat().map(({ version }) => version)).size).toBe(53);
});

test('a disabled secret cannot be read, and can be enabled again', async () => {
  const { client } = await aVault();
  const { properties } = await client.setSecret('mail-secret', 'v');
  await client.updateSecretProperties('mail-secret', properties.version ?? '', {
    enabled: false,
    expiresOn: new Date('2027-01-31T00:00:00Z'),
  });
  const error = await caught(client.getSecret('mail-secret'));
  expect(error).toMatchObject({
    name: 'RestError',
    statusCode: 403,
    code: 'Forbidden',
    details: {
      error: {
        message: 'Operation get is not allowed on a disabled secret.',
        innerError: { code: 'SecretDisabled' },
      },
    },
  });
  await client.updateSecretProperties('mail-secret', '', { enabled: true });
  const read = await client.getSecret('mail-secret');
  expect(read.value).toBe('v');
  expect(read.properties.expiresOn).toEqual(new Date('2027-01-31T00:00:00Z'));
});

test('a secret, or a version of it, that does not exist is SecretNotFound; its list of versions is empty', async () => {
  const { client } = await aVault();
  await client.setSecret('mail-secret', 'v');
  const notFound = { name: 'RestError', statusCode: 404, code: 'SecretNotFound' };
  expect(await caught(client.getSecret('nothing'))).toMatchObject(notFound);
  expect(await caught(client.getSecret('mail-secret', { version: 'f'.repeat(32) }))).toMatchObject(notFound);
  expect(await caught(client.updateSecretProperties('nothing', '', {}))).toMatchObject(notFound);
  expect(await all(client.listPropertiesOfSecretVersions('nothing'))).toEqual([]);
});

test.each([
  { title: 'for another resource', change: { resource: 'https://graph.microsoft.com' }, says: 'AKV10022' },
  { title: 'of another tenant', change: { tenantId: LOCAL_CLIENT_ID }, says: 'AKV10032' },
])('a token $title is refused with 401', async ({ change, says }) => {
  const { vault, keys } = await aVault();
  const error = await caught(aClient(vault.url, aCredential(keys, change)).getSecret('mail-secret'));
  expect(error).toMatchObject({ name: 'RestError', statusCode: 401, code: 'Unauthorized' });
  expect(String(error)).toContain(says);
});

test('a token that other keys signed is refused with 401', async () => {
  const { vault } = await aVault();
  const client = aClient(vault.url, aCredential(await makeTokenKeys()));
  expect(await caught(client.getSecret('mail-secret'))).toMatchObject({ statusCode: 401 });
});

test('an app may do only what its role on the vault allows', async () => {
  // Key Vault Secrets User: reads, and writes nothing.
  const { client, secrets } = await aVault({
    mayDo: (claims, action) =>
      claims.appid === LOCAL_CLIENT_ID && (action === 'getSecret' || action === 'readMetadata'),
  });
  await secrets.set('mail-secret', { value: 'v' }, NOW);
  expect((await client.getSecret('mail-secret')).value).toBe('v');
  expect(await all(client.listPropertiesOfSecrets())).toHaveLength(1);
  expect(await caught(client.setSecret('mail-secret', 'x'))).toMatchObject({
    statusCode: 403,
    code: 'Forbidden',
    details: {
      error: {
        message: expect.stringContaining("Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'"),
        innerError: { code: 'ForbiddenByRbac' },
      },
    },
  });
});

test.each([
  { title: 'no api-version', method: 'GET', path: '/secrets/a', status: 400 },
  { title: 'a name with a dot', method: 'GET', path: '/secrets/a.b?api-version=7.6', status: 400 },
  { title: 'a name that climbs', method: 'GET', path: '/secrets/..%2fkeys?api-version=7.6', status: 400 },
  { title: 'a page of 26', method: 'GET', path: '/secrets?api-version=7.6&maxresults=26', status: 400 },
  { title: 'a secret without a value', method: 'PUT', path: '/secrets/a?api-version=7.6', status: 400 },
  { title: 'keys', method: 'GET', path: '/keys?api-version=7.6', status: 405 },
])('$title is refused with $status', async ({ method, path, status }) => {
  const { vault, keys } = await aVault();
  const { token } = await aCredential(keys).getToken([]);
  const response = await fetch(`${vault.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(method === 'PUT' && { body: '{"tags":{}}' }),
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } });
});

test('a value above 25 KiB is refused', async () => {
  const { client } = await aVault();
  await expect(client.setSecret('large', 'x'.repeat(25 * 1024))).resolves.toBeDefined();
  expect(await caught(client.setSecret('large', 'x'.repeat(25 * 1024 + 1)))).toMatchObject({
    statusCode: 400,
  });
});

test('a fault that was asked for strikes before the vault looks', async () => {
  const { vault, client, secrets } = await aVault();
  await secrets.set('mail-secret', { value: 'v' }, NOW);
  vault.faults.add({
    path: '/secrets/mail-secret',
    status: 503,
    body: { error: { code: 'ServiceUnavailable', message: 'The service is unavailable.' } },
  });
  expect(await caught(client.getSecret('mail-secret'))).toMatchObject({
    statusCode: 503,
    code: 'ServiceUnavailable',
  });
  expect((await client.getSecret('mail-secret')).value).toBe('v');
});
