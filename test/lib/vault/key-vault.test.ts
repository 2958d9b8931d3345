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
import { type KeyVault, openKeyVault } from '../../../src/lib/vault/key-vault.ts';
import { vaultContract } from '../../contract/vault.contract.ts';
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
    { vaultUrl: server.url },
    { credential: credential ?? identity(keys), now: () => now },
  );
  const pass = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  const set = (value: string, { at, ...more }: Version = {}, name = NAME) =>
    secrets.set(name, { value, ...more }, at ?? new Date());
  return { vault, server, keys, pass, set };
};

type Version = {
  managed?: true;
  contentType?: string;
  enabled?: boolean;
  expiresOn?: Date;
  notBefore?: Date;
  at?: Date;
};

const START = Date.now();
const minutes = (count: number): Date => new Date(START + count * MINUTE_MS);
const wholeSecond = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

const secretOf = async ({ readCurrent }: KeyVault): Promise<string> => (await readCurrent(NAME)).value;

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
    expect(await secretOf(vault)).toBe('first');
    await set('second');
    pass(5 * MINUTE_MS - 1);
    expect(await secretOf(vault)).toBe('first');
    expect(reads({ server })).toBe(1);
    pass(1);
    expect(await secretOf(vault)).toBe('second');
  });

  test('is no longer kept once its versions were asked for', async () => {
    const { vault, set } = await aVault();
    await set('first');
    await vault.readCurrent(NAME);
    await set('second');
    await vault.readValidVersions(NAME);
    expect(await secretOf(vault)).toBe('second');
  });

  test('comes with the time it was set', async () => {
    const { vault, set } = await aVault();
    await set('secret', { at: minutes(-3) });
    const { value, facts } = await vault.readCurrent(NAME);
    expect([value, facts.createdOn, facts.kind]).toEqual(['secret', wholeSecond(minutes(-3)), 'secret']);
  });

  test('is the version set last', async () => {
    const { vault, set } = await aVault();
    await set('old');
    await set('new');
    expect(await secretOf(vault)).toBe('new');
  });

  test('a failure is not kept', async () => {
    const { vault, set } = await aVault();
    expect(await codeOf(vault.readCurrent(NAME))).toBe('SECRET_NOT_FOUND');
    await set('now there');
    expect(await secretOf(vault)).toBe('now there');
  });
});

describe('its valid versions', () => {
  const values = async ({ readValidVersions }: KeyVault) =>
    (await readValidVersions(NAME)).map(({ value }) => value);

  test('are the newest two, in whatever order the vault lists them', async () => {
    const { vault, set } = await aVault();
    for (let age = 9; age >= 0; age -= 1) await set(`${age} minutes old`, { at: minutes(-age) });
    expect(await values(vault)).toEqual(['0 minutes old', '1 minutes old']);
  });

  test('are those that are enabled and within their dates', async () => {
    const { vault, set } = await aVault();
    await set('good', { at: minutes(-9), notBefore: minutes(-9), expiresOn: minutes(60) });
    await set('disabled', { at: minutes(-8), enabled: false });
    await set('expired', { at: minutes(-7), expiresOn: minutes(-1) });
    await set('not yet valid', { at: minutes(-6), notBefore: minutes(60) });
    expect(await values(vault)).toEqual(['good']);
  });

  test('cannot be read without the role', async () => {
    const { vault, set } = await aVault({ mayDo: (_claims, action) => action !== 'readMetadata' });
    await set('secret');
    expect(await codeOf(vault.readValidVersions(NAME))).toBe('VAULT_ACCESS_DENIED');
  });
});

describe('why the secret cannot be read', () => {
  test.each<[string, string | undefined, string, ErrorCode]>([
    ['SecretDisabled', 'SecretDisabled', 'x', 'SECRET_DISABLED'],
    ['SecretNotYetValid', 'SecretNotYetValid', 'x', 'SECRET_NOT_YET_VALID'],
    ['SecretExpired', 'SecretExpired', 'x', 'SECRET_EXPIRED_IN_VAULT'],
    [
      'only words',
      undefined,
      'Operation get is not allowed on a secret not yet valid.',
      'SECRET_NOT_YET_VALID',
    ],
    [
      'other words',
      undefined,
      'Operation get is not allowed on an expired secret.',
      'SECRET_EXPIRED_IN_VAULT',
    ],
    ['ForbiddenByRbac', 'ForbiddenByRbac', 'Caller is not authorized', 'VAULT_ACCESS_DENIED'],
    ['ForbiddenByFirewall', 'ForbiddenByFirewall', 'x', 'VAULT_FIREWALL'],
    ['ForbiddenByConnection', 'ForbiddenByConnection', 'x', 'VAULT_PRIVATE'],
    ['a code it does not know', 'toString', 'x', 'VAULT_ACCESS_DENIED'],
  ])('403 with %s', async (_case, inner, message, code) => {
    const { vault, server, set } = await aVault();
    await set('secret');
    const innererror = inner === undefined ? {} : { innererror: { code: inner } };
    server.faults.add({ status: 403, body: { error: { code: 'Forbidden', message, ...innererror } } });
    expect(await codeOf(vault.readCurrent(NAME))).toBe(code);
  });

  test('it is not there', async () => {
    const { vault } = await aVault();
    expect(await codeOf(vault.readCurrent(NAME))).toBe('SECRET_NOT_FOUND');
  });

  test('it is disabled', async () => {
    const { vault, set } = await aVault();
    await set('secret', { enabled: false });
    expect(await codeOf(vault.readCurrent(NAME))).toBe('SECRET_DISABLED');
  });

  test('the identity has no role on the vault', async () => {
    const { vault, set } = await aVault({ mayDo: () => false });
    await set('secret');
    expect(await codeOf(vault.readCurrent(NAME))).toBe('VAULT_ACCESS_DENIED');
    expect(await codeOf(vault.listSecrets())).toBe('VAULT_ACCESS_DENIED');
  });

  test('there is no identity', async () => {
    const credential = {
      getToken: () =>
        Promise.reject(new CredentialUnavailableError('ManagedIdentityCredential: no endpoint')),
    };
    const { vault } = await aVault({ credential });
    expect(await codeOf(vault.readCurrent(NAME))).toBe('IDENTITY_UNAVAILABLE');
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
    expect(await codeOf(vault.readCurrent(NAME))).toBe('IDENTITY_UNAVAILABLE');
  });

  test.each([
    ['it is away', { status: 503, times: 9 }],
    ['it cuts the connection', { reset: true, times: 9 }],
  ])('%s', async (_case, fault) => {
    const { vault, server, set } = await aVault();
    await set('secret');
    server.faults.add(fault);
    expect(await codeOf(vault.readCurrent(NAME))).toBe('VAULT_UNREACHABLE');
  });

  test('nobody listens', async () => {
    const { vault, server } = await aVault();
    await server.close();
    expect(await codeOf(vault.readCurrent(NAME))).toBe('VAULT_UNREACHABLE');
  });
});

test('a vault that does not answer is not waited for longer than a token may take', async () => {
  const { vault, server, set } = await aVault();
  await set('secret');
  server.faults.add({ delayMs: 60_000 });
  expect(await codeOf(vault.readCurrent(NAME, { signal: AbortSignal.timeout(300) }))).toBe(
    'VAULT_UNREACHABLE',
  );
});

test('one failure of the vault is passed over', async () => {
  const { vault, server, set } = await aVault();
  await set('secret');
  server.faults.add({ status: 503 });
  expect(await secretOf(vault)).toBe('secret');
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
  expect(listed.slice(0, 3)).toMatchObject([
    { name: 'secret-00', kind: 'secret', enabled: true, expiresOn },
    { name: 'secret-01', kind: 'secret', enabled: false },
    { name: 'secret-02', kind: 'secret', enabled: true },
  ]);
  expect(JSON.stringify(listed)).not.toContain('the-value');
});

describe('a certificate is one, and no client secret', () => {
  test.each([
    ['the vault manages it', { managed: true }, 'certificate'],
    ['it was imported as a secret', { contentType: 'application/x-pkcs12' }, 'certificate'],
    ['it was imported in PEM', { contentType: 'application/x-pem-file' }, 'certificate'],
    ['it is a text', { contentType: 'text/plain' }, 'secret'],
  ] as const)('%s', async (_case, version, kind) => {
    const { vault, set } = await aVault();
    await set('value', version);
    const all = [
      ...(await vault.listSecrets()),
      ...(await vault.listVersions(NAME)),
      (await vault.readCurrent(NAME)).facts,
    ];
    expect(all.map((one) => one.kind)).toEqual([kind, kind, kind]);
  });
});

vaultContract('the vault', async () => (await aVault()).vault);
