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
import { type EntraTokenOptions, makeTokenSource, TokenError } from '../../../src/lib/vault/entra-token.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';

const GRAPH = 'https://graph.microsoft.com';
const MINUTE_MS = 60_000;
const SECRET = 'the-secret-in-the-vault';
const HOUR_SECONDS = 3600;

/** Entra, a vault of one secret, and the source of tokens between them. */
const aTokenSource = async (
  options: Partial<EntraTokenOptions> = {},
  { app = {} }: { readonly app?: Partial<Directory['apps'][number]> } = {},
) => {
  const keys = await makeTokenKeys();
  const usual = contoso(SECRET, new Date());
  const directory = { ...usual, apps: usual.apps.map((one) => ({ ...one, ...app })) };
  const entra = await startEntra({
    tls: await trustedCertificate(),
    port: 0,
    directory: () => directory,
    audiences: () => [GRAPH],
    keys,
    now: () => new Date(),
    lifetimeSeconds: () => HOUR_SECONDS,
  });
  onTestFinished(() => entra.close());

  let now = new Date();
  const vault = { secrets: [SECRET], reads: [] as boolean[] };
  const tokens = makeTokenSource(
    {
      authority: entra.url,
      tenantId: LOCAL_TENANT_ID,
      clientId: LOCAL_CLIENT_ID,
      scope: `${GRAPH}/.default`,
      timeoutMs: 60_000,
      ...options,
    },
    {
      readClientSecret: async ({ fresh }) => {
        vault.reads.push(fresh);
        // What was read last stays cached until it is asked for afresh.
        if (fresh && vault.secrets.length > 1) vault.secrets.shift();
        return vault.secrets[0] ?? '';
      },
      now: () => now,
    },
  );
  return {
    entra,
    tokens,
    vault,
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
    const { tokens, vault, outcomes } = await aTokenSource();
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.readToken()));
    expect(new Set(all).size).toBe(1);
    expect([outcomes(), vault.reads]).toEqual([['issued'], [false]]);
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

  test('a refusal is not remembered: the next mail asks again', async () => {
    const { entra, tokens } = await aTokenSource();
    entra.faults.add({ status: 503, path: '/token' });
    await failureOf(tokens.readToken());
    expect(await tokens.readToken()).toMatch(/^eyJ/);
  });
});

describe('a secret that was changed', () => {
  test.each<[string, AppSecret[]]>([
    ['is wrong now', []],
    ['has expired', [expired('the-old-secret')]],
  ])('when the one read earlier %s, it is read again at once and the new one works', async (_case, known) => {
    const secrets = [...known, { value: SECRET, expiresOn: new Date(Date.now() + MINUTE_MS) }];
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets } });
    vault.secrets = ['the-old-secret', SECRET];
    expect(await tokens.readToken()).toMatch(/^eyJ/);
    expect(vault.reads).toEqual([false, true]);
    expect(outcomes()).toEqual([expect.any(Number), 'issued']);
  });

  test('when the vault has no newer one, Entra is not asked a second time', async () => {
    const { tokens, vault, outcomes } = await aTokenSource({}, { app: { secrets: [] } });
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_WRONG');
    expect(vault.reads).toEqual([false, true]);
    expect(outcomes()).toEqual([7000215]);
  });

  test('when the newer one is refused too, that refusal counts, and there is no third request', async () => {
    const app = { secrets: [expired('newer')] };
    const { tokens, vault, outcomes } = await aTokenSource({}, { app });
    vault.secrets = ['old', 'newer'];
    expect((await failureOf(tokens.readToken())).code).toBe('CLIENT_SECRET_EXPIRED');
    expect(outcomes()).toEqual([7000215, 7000222]);
  });

  test('what the vault says when it is asked again is what is reported', async () => {
    const { entra } = await aTokenSource();
    const tokens = makeTokenSource(
      {
        authority: entra.url,
        tenantId: LOCAL_TENANT_ID,
        clientId: LOCAL_CLIENT_ID,
        scope: `${GRAPH}/.default`,
        timeoutMs: 60_000,
      },
      {
        readClientSecret: async ({ fresh }) => {
          if (fresh) throw new AppError('VAULT_UNREACHABLE');
          return 'wrong';
        },
        now: () => new Date(),
      },
    );
    expect((await failureOf(tokens.readToken())).code).toBe('VAULT_UNREACHABLE');
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
    ['the application is disabled', {}, { enabled: false }, 'APP_UNKNOWN', 'AADSTS7000112'],
    [
      'the scope names something else',
      { scope: 'https://x.example/.default' },
      {},
      'TOKEN_REFUSED',
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
    ['throttled', { status: 429, retryAfter: '17' }, 'ENTRA_UNREACHABLE', '17'],
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
      'TOKEN_REFUSED',
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
