import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type AppSecret,
  contoso,
  type Directory,
  LOCAL_CLIENT_ID,
  LOCAL_TENANT_ID,
} from '../../../local/directory.ts';
import { startEntra } from '../../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { readSecretProof } from '../../../src/lib/vault/client-proof.ts';
import { makeTokenSource, TokenError } from '../../../src/lib/vault/entra-token.ts';
import { fetchWithVault } from '../../../src/lib/vault/fetch-token.ts';
import type { SecretVersion } from '../../../src/lib/vault/secret-source.ts';
import type { EntraTokenOptions } from '../../../src/lib/vault/token-request.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';
import { aSecret } from '../../support/fake-vault.ts';

const GRAPH = 'https://graph.microsoft.com';
const MINUTE_MS = 60_000;
const SECRET = 'the-secret-in-the-vault';
const HOUR_SECONDS = 3600;

type ClientSecret = { readonly value: string; readonly createdOn?: Date; readonly expiresOn?: Date };

const toVersion = ({ value, createdOn, ...dates }: ClientSecret): SecretVersion => ({
  value,
  facts: aSecret({ version: `of ${value}`, createdOn: createdOn ?? new Date(0), ...dates }),
});

/** What it gives without asking for versions, and the valid ones, newest first. */
type Vault = { kept: ClientSecret | AppError; versions: () => readonly ClientSecret[]; asked: string[] };

/** Entra, a vault of one secret, and the source of tokens between them. */
const aTokenSource = async (
  options: Partial<EntraTokenOptions> & { readonly timeoutMs?: number } = {},
  { app = {} }: { readonly app?: Partial<Directory['apps'][number]> } = {},
) => {
  const keys = await makeTokenKeys();
  const usual = contoso(SECRET, new Date());
  const entra = await startEntra({
    tls: await trustedCertificate(),
    port: 0,
    // Anew for each request: what is known of the app can change.
    directory: () => ({ ...usual, apps: usual.apps.map((one) => ({ ...one, ...app })) }),
    audiences: () => [GRAPH],
    keys,
    now: () => new Date(),
    lifetimeSeconds: () => HOUR_SECONDS,
  });
  onTestFinished(() => entra.close());

  let now = new Date();
  const vault: Vault = { kept: { value: SECRET }, versions: () => [{ value: SECRET }], asked: [] };
  const { timeoutMs = 60_000, ...entraOptions } = options;
  const source = {
    readCurrent: async (_name: string, { fresh = false }: { readonly fresh?: boolean } = {}) => {
      vault.asked.push(fresh ? 'current, fresh' : 'current');
      if (vault.kept instanceof AppError) throw vault.kept;
      return toVersion(vault.kept);
    },
    readValidVersions: async () => {
      vault.asked.push('versions');
      return vault.versions().map(toVersion);
    },
  };
  const tokens = makeTokenSource(
    fetchWithVault(
      {
        authority: entra.url,
        tenantId: LOCAL_TENANT_ID,
        clientId: LOCAL_CLIENT_ID,
        scope: `${GRAPH}/.default`,
        ...entraOptions,
      },
      'graph-client-secret',
      { vault: () => source, readProof: readSecretProof, now: () => now },
    ),
    { timeoutMs, now: () => now },
  );
  return {
    entra,
    tokens,
    vault,
    listed: () => vault.asked.filter((one) => one === 'versions').length,
    outcomes: () => entra.tokenRequests().map(({ outcome }) => outcome),
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
  };
};

const failureOf = async (token: Promise<string>): Promise<AppError> => {
  const error = await token.catch((reason: unknown) => reason);
  if (error instanceof AppError) return error;
  throw new Error('expected an AppError', { cause: error });
};

const expired = (value: string): AppSecret => ({ value, expiresOn: new Date(Date.now() - MINUTE_MS) });

describe('a token of Entra', () => {
  test('is asked for with the secret of the vault, for Graph', async () => {
    const { entra, tokens } = await aTokenSource();
    expect((await tokens.readToken()).split('.')).toHaveLength(3);
    expect(entra.tokenRequests()).toMatchObject([
      { tenant: LOCAL_TENANT_ID, clientId: LOCAL_CLIENT_ID, scope: `${GRAPH}/.default`, outcome: 'issued' },
    ]);
  });

  test('serves every mail until five minutes before its end, then a new one is asked for', async () => {
    const { tokens, outcomes, pass } = await aTokenSource();
    const first = await tokens.readToken();
    pass(54 * MINUTE_MS);
    expect(await tokens.readToken()).toBe(first);
    pass(2 * MINUTE_MS);
    await tokens.readToken();
    expect(outcomes()).toEqual(['issued', 'issued']);
  });

  test('is asked for once, however many mails wait for it', async () => {
    const { tokens, outcomes, listed } = await aTokenSource();
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.readToken()));
    expect(new Set(all).size).toBe(1);
    expect([outcomes(), listed()]).toEqual([['issued'], 0]);
  });

  test('that Graph refused is not used again; giving up another changes nothing', async () => {
    const { tokens, outcomes } = await aTokenSource();
    const first = await tokens.readToken();
    tokens.forget('another token');
    expect(await tokens.readToken()).toBe(first);
    tokens.forget(first);
    await tokens.readToken();
    expect(outcomes()).toEqual(['issued', 'issued']);
  });

  test('that is refused is not asked for by every mail: the refusal holds for five seconds', async () => {
    const { entra, tokens, outcomes, pass } = await aTokenSource();
    entra.faults.add({ status: 503, path: '/token', retryAfter: '3' });
    for (let mail = 0; mail < 24; mail += 1) {
      const error = await failureOf(tokens.readToken());
      expect([error.code, (error as TokenError).retryAfter]).toEqual(['ENTRA_UNREACHABLE', '3']);
      pass(200);
    }
    pass(200);
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect(outcomes()).toHaveLength(1);
  });
});

const MINUTES_AGO = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);

const works = (value: string): AppSecret => ({ value, expiresOn: new Date(Date.now() + MINUTE_MS) });

describe('a secret that was changed', () => {
  test.each<[string, AppSecret[]]>([
    ['is wrong now', []],
    ['has expired', [expired('old')]],
  ])('when the one kept %s, the newest is read at once and works', async (_case, known) => {
    const { tokens, vault, outcomes, listed } = await aTokenSource(
      {},
      { app: { secrets: [...known, works('new')] } },
    );
    vault.kept = { value: 'old' };
    vault.versions = () => [{ value: 'new' }, { value: 'old' }];
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect([listed(), outcomes()]).toEqual([1, [expect.any(Number), 'issued']]);
  });

  test('when the vault is ahead of Entra, the version before works, and nobody is told no', async () => {
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [works('old')] } });
    vault.kept = { value: 'new', createdOn: new Date() };
    vault.versions = () => [{ value: 'new' }, { value: 'old' }];
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect(outcomes()).toEqual([7000215, 'issued']);
  });

  test.each<[string, number, ErrorCode]>([
    ['a minute old, it is a matter of time', 1, 'CLIENT_SECRET_TOO_NEW'],
    ['three minutes old, it is wrong', 3, 'CLIENT_SECRET_WRONG'],
  ])('when Entra knows none, and the newest is %s', async (_case, minutes, code) => {
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [expired('old')] } });
    const newest = { value: 'new', createdOn: MINUTES_AGO(minutes) };
    vault.kept = newest;
    vault.versions = () => [newest, { value: 'old', createdOn: MINUTES_AGO(900) }];
    expect((await failureOf(tokens.readToken())).code).toBe(code);
    expect(outcomes()).toEqual(minutes < 2 ? [7000215, 7000222, 7000215] : [7000215, 7000222]);
  });

  test('each version is tried once, and what Entra says of the newest counts', async () => {
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [expired('newest')] } });
    vault.kept = { value: 'old', createdOn: MINUTES_AGO(20) };
    vault.versions = () => [
      { value: 'newest', createdOn: MINUTES_AGO(10) },
      { value: 'old', createdOn: MINUTES_AGO(20) },
    ];
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_EXPIRED');
    expect(outcomes()).toEqual([7000215, 7000222]);
  });

  test('what Entra said outranks that the vault does not answer afterwards', async () => {
    const { tokens, vault } = await aTokenSource({}, { app: { secrets: [] } });
    vault.versions = () => {
      throw new AppError('VAULT_UNREACHABLE');
    };
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_WRONG');
  });

  test('of which one was not known yet, and the one before it was removed meanwhile, is tried again', async () => {
    let secrets: AppSecret[] = [works('old')];
    const { entra, tokens, vault, outcomes } = await aTokenSource(
      {},
      {
        app: {
          get secrets() {
            return secrets;
          },
        },
      },
    );
    vault.kept = { value: 'new', createdOn: new Date() };
    vault.versions = () => {
      secrets = [works('new')];
      return [{ value: 'new', createdOn: new Date() }, { value: 'old' }];
    };
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect([outcomes(), entra.tokenRequests().length]).toEqual([[7000215, 7000215, 'issued'], 3]);
  });

  test('that Entra is away for one version counts more than that it refused another: waiting can help', async () => {
    const { entra, tokens, vault } = await aTokenSource({}, { app: { secrets: [] } });
    vault.versions = () => {
      entra.faults.add({ status: 503, path: '/oauth2/v2.0/token' });
      return [{ value: 'new' }, { value: SECRET }];
    };
    expect((await failureOf(tokens.readToken())).code).toBe('ENTRA_UNREACHABLE');
  });
});

describe('a value that looks like the id of a secret', () => {
  const ID = '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812';

  test('is not sent where the version before it works', async () => {
    const { tokens, vault, outcomes } = await aTokenSource();
    vault.kept = { value: ID, createdOn: MINUTES_AGO(1) };
    vault.versions = () => [{ value: ID, createdOn: MINUTES_AGO(1) }, { value: SECRET }];
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect(outcomes()).toEqual(['issued']);
  });

  test('is tried in the end, and named once Entra has refused it', async () => {
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [expired('old')] } });
    vault.kept = { value: ID, createdOn: MINUTES_AGO(1) };
    vault.versions = () => [{ value: ID, createdOn: MINUTES_AGO(1) }, { value: 'old' }];
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_IS_ID');
    expect(outcomes()).toEqual([7000222, 7000215]);
  });

  test('works where it is a secret: old tools made such', async () => {
    const { tokens, vault } = await aTokenSource({}, { app: { secrets: [works(ID)] } });
    vault.kept = { value: ID };
    vault.versions = () => [{ value: ID }];
    expect(await tokens.readToken()).toMatch(/^eyJ/);
  });
});

test('a version whose dates in the vault are over is used only where no valid one works', async () => {
  const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [works('dated')] } });
  vault.kept = { value: 'dated', expiresOn: MINUTES_AGO(1) };
  vault.versions = () => [{ value: 'valid' }];
  expect(await tokens.readToken()).toMatch(/^eyJ/);
  expect(outcomes()).toEqual([7000215, 'issued']);
});

describe('where the vault refuses its newest version', () => {
  test.each<ErrorCode>(['SECRET_DISABLED', 'SECRET_NOT_YET_VALID', 'SECRET_EXPIRED_IN_VAULT'])(
    'with %s, the one before is used',
    async (code) => {
      const { tokens, vault } = await aTokenSource();
      vault.kept = new AppError(code);
      expect(await tokens.readToken()).toMatch(/^eyJ/);
      vault.versions = () => [];
      tokens.forget(await tokens.readToken());
      expect((await failureOf(tokens.readToken())).code).toBe(code);
    },
  );

  test('but what Entra says of the one before outranks it', async () => {
    const { tokens, vault } = await aTokenSource({}, { app: { secrets: [expired(SECRET)] } });
    vault.kept = new AppError('SECRET_DISABLED');
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_EXPIRED');
  });

  test('a vault that refuses the relay itself is not asked for versions', async () => {
    const { tokens, vault, listed } = await aTokenSource();
    vault.kept = new AppError('VAULT_ACCESS_DENIED');
    expect((await failureOf(tokens.readToken())).code).toBe('VAULT_ACCESS_DENIED');
    expect(listed()).toBe(0);
  });
});

const UNKNOWN_ID = '00000000-1111-2222-3333-444444444444';

describe('why there is no token', () => {
  test.each<
    [string, Partial<EntraTokenOptions>, Partial<Directory['apps'][number]>, ErrorCode, string | undefined]
  >([
    ['the secret is wrong', {}, { secrets: [] }, 'CLIENT_SECRET_WRONG', 'AADSTS7000215'],
    ['the secret has expired', {}, { secrets: [expired(SECRET)] }, 'CLIENT_SECRET_EXPIRED', 'AADSTS7000222'],
    ['the tenant is unknown', { tenantId: UNKNOWN_ID }, {}, 'TENANT_UNKNOWN', 'AADSTS90002'],
    [
      'the domain of the tenant is unknown',
      { tenantId: 'fabrikam.example' },
      {},
      'TENANT_UNKNOWN',
      'AADSTS90002',
    ],
    ['the application is unknown', { clientId: UNKNOWN_ID }, {}, 'APP_UNKNOWN', 'AADSTS700016'],
    ['the application is disabled', {}, { enabled: false }, 'APP_DISABLED', 'AADSTS7000112'],
    [
      'the scope names something else',
      { scope: 'https://x.example/.default' },
      {},
      'CLOUDS_MIXED',
      'AADSTS500011',
    ],
    ['nobody listens', { authority: 'https://127.0.0.1:1' }, {}, 'ENTRA_UNREACHABLE', undefined],
    ['the name is not known', { authority: 'https://entra.invalid' }, {}, 'ENTRA_UNREACHABLE', undefined],
  ])('%s', async (_case, options, app, code, upstreamCode) => {
    const { tokens } = await aTokenSource(options, { app });
    const error = await failureOf(tokens.readToken());
    expect([error.code, error.facts.upstreamCode]).toEqual([code, upstreamCode]);
    expect(error.message).not.toContain(SECRET);
  });

  test.each<
    [string, Parameters<Awaited<ReturnType<typeof startEntra>>['faults']['add']>[0], ErrorCode, string?]
  >([
    ['throttled', { status: 429, retryAfter: '17' }, 'ENTRA_THROTTLED', '17'],
    ['unavailable', { status: 503, retryAfter: '3' }, 'ENTRA_UNREACHABLE', '3'],
    ['broken', { status: 500 }, 'ENTRA_UNREACHABLE'],
    [
      'temporarily unavailable',
      { status: 400, body: { error: 'temporarily_unavailable' } },
      'ENTRA_UNREACHABLE',
    ],
    [
      'Conditional Access',
      { status: 400, body: { error: 'invalid_grant', error_codes: [53003] } },
      'CONDITIONAL_ACCESS_BLOCKED',
    ],
    ['an answer that cannot be read', { status: 400 }, 'TOKEN_REFUSED'],
    ['no answer in time', { delayMs: 60_000 }, 'ENTRA_UNREACHABLE'],
  ])('%s: after one request', async (_case, fault, code, retryAfter) => {
    // Short only where no answer comes: on a busy machine every answer takes longer than that.
    const { entra, tokens } = await aTokenSource(fault.delayMs === undefined ? {} : { timeoutMs: 500 });
    // The second would be met by a request too many, which must not be made.
    entra.faults.add({ ...fault, path: '/oauth2/v2.0/token', times: 2 });
    const error = await failureOf(tokens.readToken());
    expect(error.code).toBe(code);
    expect(error instanceof TokenError ? error.retryAfter : undefined).toBe(retryAfter);
    expect(entra.faults.waiting()).toMatchObject([{ times: 1 }]);
  });

  test('a connection that is cut, as one kept for too long may be, is made anew once', async () => {
    const { entra, tokens } = await aTokenSource();
    const cut = { path: '/oauth2/v2.0/token', reset: true };
    entra.faults.add(cut);
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    entra.faults.add({ ...cut, times: 3 });
    tokens.forget(await tokens.readToken());
    expect((await failureOf(tokens.readToken())).code).toBe('ENTRA_UNREACHABLE');
    expect(entra.faults.waiting()).toMatchObject([{ times: 1 }]);
  });
});
