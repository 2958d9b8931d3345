import type { TokenCredential } from '@azure/identity';
import { CredentialUnavailableError, ManagedIdentityCredential } from '@azure/identity';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { toAppOnlyClaims } from '../../../local/entra/app-only-claims.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import {
  type KeyVaultOptions,
  startKeyVault,
  VAULT_RESOURCE,
} from '../../../local/key-vault/start-key-vault.ts';
import { startManagedIdentity } from '../../../local/managed-identity/start-managed-identity.ts';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openKeyVault } from '../../../src/lib/vault/key-vault.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';

const NAME = 'graph-client-secret';
const MINUTE_MS = 60_000;

const aVault = async (rest: Partial<KeyVaultOptions> & { readonly credential?: TokenCredential } = {}) => {
  const { credential, ...options } = rest;
  const keys = await makeTokenKeys();
  const secrets = await openSecretStore();
  const server = await startKeyVault({
    tls: await trustedCertificate(),
    port: 0,
    secrets,
    tenantId: LOCAL_TENANT_ID,
    verifyToken: keys.verify,
    now: () => new Date(),
    ...options,
  });
  onTestFinished(() => server.close());
  let now = new Date();
  const vault = openKeyVault(
    { vaultUrl: server.url, secretName: NAME },
    { credential: credential ?? identity(keys), now: () => now },
  );
  const pass = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  const set = (value: string, more: { enabled?: boolean; expiresOn?: Date } = {}, name = NAME) =>
    secrets.set(name, { value, ...more }, new Date());
  return { vault, server, keys, pass, set };
};

const identity = (keys: Awaited<ReturnType<typeof makeTokenKeys>>): TokenCredential => ({
  getToken: async () => {
    const claims = toAppOnlyClaims({
      tenantId: LOCAL_TENANT_ID,
      clientId: LOCAL_CLIENT_ID,
      resource: VAULT_RESOURCE,
      roles: [],
      now: new Date(),
      lifetimeSeconds: 3600,
    });
    return { token: await keys.sign(claims), expiresOnTimestamp: claims.exp * 1000 };
  },
});

const codeOf = async (call: Promise<unknown>): Promise<ErrorCode> => {
  const error = await call.catch((reason: unknown) => reason);
  if (error instanceof AppError) return error.code;
  throw new Error('expected an AppError', { cause: error });
};

const reads = ({ server }: { readonly server: { requests(): readonly { readonly status: number }[] } }) =>
  server.requests().filter(({ status }) => status === 200).length;

describe('the client secret', () => {
  test('is read once and kept for five minutes', async () => {
    const { vault, server, pass, set } = await aVault();
    await set('first');
    expect(await vault.readClientSecret({ fresh: false })).toBe('first');
    await set('second');
    pass(5 * MINUTE_MS - 1);
    expect(await vault.readClientSecret({ fresh: false })).toBe('first');
    expect(reads({ server })).toBe(1);
    pass(1);
    expect(await vault.readClientSecret({ fresh: false })).toBe('second');
  });

  test('is read at once when asked for afresh, and that one is kept', async () => {
    const { vault, server, set } = await aVault();
    await set('first');
    await vault.readClientSecret({ fresh: false });
    await set('second');
    expect(await vault.readClientSecret({ fresh: true })).toBe('second');
    expect(await vault.readClientSecret({ fresh: false })).toBe('second');
    expect(reads({ server })).toBe(2);
  });

  test('is the version set last', async () => {
    const { vault, set } = await aVault();
    await set('old');
    await set('new');
    expect(await vault.readClientSecret({ fresh: false })).toBe('new');
  });

  test('a failure is not kept', async () => {
    const { vault, set } = await aVault();
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('SECRET_NOT_FOUND');
    await set('now there');
    expect(await vault.readClientSecret({ fresh: false })).toBe('now there');
  });
});

describe('why the secret cannot be read', () => {
  test('it is not there', async () => {
    const { vault } = await aVault();
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('SECRET_NOT_FOUND');
  });

  test('it is disabled', async () => {
    const { vault, set } = await aVault();
    await set('secret', { enabled: false });
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('SECRET_DISABLED');
  });

  test('the identity has no role on the vault', async () => {
    const { vault, set } = await aVault({ mayDo: () => false });
    await set('secret');
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('VAULT_ACCESS_DENIED');
    expect(await codeOf(vault.listSecrets())).toBe('VAULT_ACCESS_DENIED');
  });

  test('there is no identity', async () => {
    const credential = {
      getToken: () =>
        Promise.reject(new CredentialUnavailableError('ManagedIdentityCredential: no endpoint')),
    };
    const { vault } = await aVault({ credential });
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('IDENTITY_UNAVAILABLE');
  });

  test('the app does not have the identity it names', async () => {
    const keys = await makeTokenKeys();
    const endpoint = await startManagedIdentity({
      port: 0,
      tenantId: LOCAL_TENANT_ID,
      identities: [],
      resources: () => [VAULT_RESOURCE],
      keys,
      now: () => new Date(),
    });
    onTestFinished(() => endpoint.close());
    for (const [name, value] of Object.entries(endpoint.environment)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const credential = new ManagedIdentityCredential({ clientId: LOCAL_CLIENT_ID });
    const { vault } = await aVault({ credential });
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('IDENTITY_UNAVAILABLE');
  });

  test.each([
    ['it is away', { status: 503, times: 9 }],
    ['it cuts the connection', { reset: true, times: 9 }],
  ])('%s', async (_case, fault) => {
    const { vault, server, set } = await aVault();
    await set('secret');
    server.faults.add(fault);
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('VAULT_UNREACHABLE');
  });

  test('nobody listens', async () => {
    const { vault, server } = await aVault();
    await server.close();
    expect(await codeOf(vault.readClientSecret({ fresh: false }))).toBe('VAULT_UNREACHABLE');
  });
});

test('one failure of the vault is passed over', async () => {
  const { vault, server, set } = await aVault();
  await set('secret');
  server.faults.add({ status: 503 });
  expect(await vault.readClientSecret({ fresh: false })).toBe('secret');
});

test('every secret is listed, over all pages, with its date and without its value', async () => {
  const { vault, set } = await aVault();
  const expiresOn = new Date('2027-01-31T00:00:00Z');
  const names = Array.from({ length: 60 }, (_, n) => `secret-${String(n).padStart(2, '0')}`);
  for (const name of names) await set('the-value', {}, name);
  await set('the-value', { expiresOn }, 'secret-00');
  await set('the-value', { enabled: false }, 'secret-01');

  const listed = await vault.listSecrets();
  expect(listed.map(({ name }) => name)).toEqual(names);
  expect(listed.slice(0, 3)).toEqual([
    { name: 'secret-00', enabled: true, expiresOn },
    { name: 'secret-01', enabled: false },
    { name: 'secret-02', enabled: true },
  ]);
  expect(JSON.stringify(listed)).not.toContain('the-value');
});
