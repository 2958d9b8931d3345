import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  contoso,
  LOCAL_CALLER_ID,
  LOCAL_CALLER_SECRET,
  LOCAL_CLIENT_ID,
  LOCAL_TENANT_ID,
} from '../../../local/directory.ts';
import { startEntra } from '../../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { readAppToken } from '../../../src/lib/callers/app-token.ts';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { issuersOf, openAppTokens } from '../../../src/lib/vault/app-tokens.ts';
import { makeReadJson } from '../../../src/lib/vault/read-json.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = new Date('2026-11-26T08:00:00Z');
const AUTHORITY = 'https://login.microsoftonline.com';
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PUBLISHED = { ...(await exportJWK(pair.publicKey)), kid: 'one', use: 'sig' };

/** A token of version 2 as Entra issues it to an application that may send. */
const CLAIMS = {
  aud: LOCAL_CLIENT_ID,
  iss: `${AUTHORITY}/${LOCAL_TENANT_ID}/v2.0`,
  tid: LOCAL_TENANT_ID,
  azp: LOCAL_CALLER_ID.toUpperCase(),
  oid: 'an-object-id',
  sub: 'an-object-id',
  roles: ['Mail.Submit'],
  ver: '2.0',
  iat: seconds(NOW) - 300,
  nbf: seconds(NOW) - 300,
  exp: seconds(NOW) + 3600,
} satisfies JWTPayload;

type Changes = Readonly<Record<string, unknown>>;

/** Without what is changed to undefined. */
const signed = (changes: Changes = {}, header: Changes = {}, key = pair.privateKey): Promise<string> =>
  new SignJWT(JSON.parse(JSON.stringify({ ...CLAIMS, ...changes })))
    .setProtectedHeader(JSON.parse(JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: 'one', ...header })))
    .sign(key);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What is told of a token: for which application it is, or why not. */
const judge = async (tokens: ReturnType<typeof openAppTokens>, token: string): Promise<string> => {
  try {
    return readAppToken(await tokens.check(token));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // Whatever is wrong with it, nothing of it is repeated.
    expect(JSON.stringify([error.message, error.facts.detail])).not.toMatch(/eyJ|canary/);
    return `${error.code}: ${error.facts.detail ?? ''}`;
  }
};

/** A check with these keys, and how often they were read. */
const aCheck = (tenant = LOCAL_TENANT_ID) => {
  const read: string[] = [];
  let now = NOW;
  let keys: unknown[] | Error = [PUBLISHED];
  const tokens = openAppTokens(
    { authority: AUTHORITY, tenant, clientId: LOCAL_CLIENT_ID },
    {
      readJson: async (url) => {
        read.push(url);
        if (keys instanceof Error) throw keys;
        return url.endsWith('openid-configuration')
          ? { issuer: `${AUTHORITY}/${LOCAL_TENANT_ID}/v2.0` }
          : { keys };
      },
      now: () => now,
    },
  );
  return {
    read,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
    publish: (next: unknown[] | Error) => {
      keys = next;
    },
    judge: (token: string) => judge(tokens, token),
  };
};

const OTHER_TENANT = '99999999-9999-4999-8999-999999999999';

test.each<[string, Changes]>([
  ['version 2', {}],
  ['version 2 for the identifier URI', { aud: `api://${LOCAL_CLIENT_ID}` }],
  [
    'version 1',
    {
      aud: `api://${LOCAL_CLIENT_ID}`,
      iss: `https://sts.windows.net/${LOCAL_TENANT_ID}/`,
      azp: undefined,
      appid: LOCAL_CALLER_ID,
    },
  ],
  ['a managed identity, which says that it is an application', { idtyp: 'app' }],
  ['one with other roles too', { roles: ['Other', 'Mail.Submit'] }],
  ['a clock that is a minute behind', { nbf: seconds(NOW) + 59, exp: seconds(NOW) + 60 }],
  ['a clock that is a minute ahead', { exp: seconds(NOW) - 59 }],
])('takes a token of %s, and knows its application', async (_case, changes) => {
  expect(await aCheck().judge(await signed(changes))).toBe(LOCAL_CALLER_ID);
});

describe('refuses', () => {
  test.each<[string, Changes, string]>([
    ['another tenant', { iss: `${AUTHORITY}/${OTHER_TENANT}/v2.0` }, 'Another tenant'],
    ['another tenant in version 1', { iss: `https://sts.windows.net/${OTHER_TENANT}/` }, 'Another tenant'],
    ['another authority', { iss: `https://evil.example/${LOCAL_TENANT_ID}/v2.0` }, 'Another tenant'],
    ['an issuer that begins right', { iss: `${CLAIMS.iss}/canary` }, 'Another tenant'],
    ['no issuer', { iss: undefined }, 'who issued it'],
    ['an issuer that is a list', { iss: [CLAIMS.iss] }, 'Another tenant'],
    ['another audience', { aud: 'https://graph.microsoft.com' }, 'another resource'],
    ['an audience that begins right', { aud: `api://${LOCAL_CLIENT_ID}/canary` }, 'another resource'],
    ['no audience', { aud: undefined }, 'another resource'],
    ['one that has expired', { exp: seconds(NOW) - 61 }, 'It has expired'],
    ['one that never expires', { exp: undefined }, 'until when it is valid'],
    ['one that is not valid yet', { nbf: seconds(NOW) + 61 }, 'not valid yet'],
    ['a date that is a text', { exp: 'canary' }, 'until when it is valid'],
    ['a user who signed in', { scp: 'Mail.Submit' }, 'token of a user'],
    ['a user, by its type', { idtyp: 'user' }, 'token of a user'],
    ['a subject that is not the application', { sub: 'pairwise' }, 'token of a user'],
    ['no application', { azp: undefined }, 'for which application'],
    ['an application that is no text', { azp: { canary: 1 } }, 'for which application'],
  ])('%s', async (_case, changes, detail) => {
    const told = await aCheck().judge(await signed(changes));
    expect(told).toMatch(/^TOKEN_NOT_ACCEPTED: /);
    expect(told).toContain(detail);
  });

  test.each<[string, Changes]>([
    ['no role', { roles: undefined }],
    ['other roles', { roles: ['mail.submit', 'Mail.Submit.All'] }],
    ['a role that is a text', { roles: 'Mail.Submit' }],
  ])('%s: the administrator assigns it', async (_case, changes) => {
    expect(await aCheck().judge(await signed(changes))).toBe(
      `TOKEN_ROLE_MISSING: The token of the application ${LOCAL_CALLER_ID} does not have the role Mail.Submit.`,
    );
  });

  const header = (changes: Changes) => part({ alg: 'RS256', typ: 'JWT', kid: 'one', ...changes });
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' });
  const hs256 = (key: string | Buffer): string => {
    const text = `${header({ alg: 'HS256' })}.${part(CLAIMS)}`;
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };

  test.each<[string, () => string | Promise<string>, string]>([
    ['alg none', () => `${header({ alg: 'none' })}.${part(CLAIMS)}.`, 'RS256'],
    ['alg none in another case', () => `${header({ alg: 'nOnE' })}.${part(CLAIMS)}.`, 'RS256'],
    ['HS256 with the public key as its secret', () => hs256(publicPem), 'RS256'],
    ['HS256 with the published key as its secret', () => hs256(JSON.stringify(PUBLISHED)), 'RS256'],
    ['PS256 with the right key', () => signed({}, { alg: 'PS256' }), 'RS256'],
    ['a key of somebody else', () => signed({}, {}, foreign.privateKey), 'signature is wrong'],
    [
      'a key it brings along',
      async () => signed({}, { jwk: await exportJWK(foreign.publicKey) }, foreign.privateKey),
      'signature is wrong',
    ],
    [
      'a key at an address it names',
      () => signed({}, { jku: 'https://evil.example/keys' }, foreign.privateKey),
      'signature is wrong',
    ],
    ['a key id that nobody published', () => signed({}, { kid: 'canary' }), 'names no key'],
    ['a key id that is a path', () => signed({}, { kid: '../../../etc/passwd' }), 'names no key'],
    [
      'extensions that have to be understood',
      async () => {
        const [, ...rest] = (await signed()).split('.');
        return [header({ crit: ['canary'], canary: true }), ...rest].join('.');
      },
      'not a signed token',
    ],
    [
      'other claims under a right signature',
      async () => {
        const [head, , signature] = (await signed()).split('.');
        return `${head}.${part({ ...CLAIMS, azp: 'canary' })}.${signature}`;
      },
      'signature is wrong',
    ],
    ['one that was cut off', async () => (await signed()).slice(0, -20), 'signature is wrong'],
    [
      'one without its signature',
      async () => `${(await signed()).split('.', 2).join('.')}.`,
      'signature is wrong',
    ],
    ['one with more dots', async () => `${await signed()}.canary`, 'not a signed token'],
    ['no JSON', () => 'eyJ.eyJ.eyJ', 'not a signed token'],
    ['a huge one', () => signed({ canary: 'x'.repeat(9000) }), 'more than 8192 characters'],
  ])('%s', async (_case, make, detail) => {
    const { judge: told, read } = aCheck();
    expect(await told(await make())).toMatch(new RegExp(`^TOKEN_NOT_ACCEPTED: .*${detail}`));
    // And it is the keys of the tenant that are asked for, at most once, whatever the token names.
    expect(read.filter((url) => url !== `${AUTHORITY}/${LOCAL_TENANT_ID}/discovery/v2.0/keys`)).toEqual([]);
    expect(read.length).toBeLessThanOrEqual(1);
  });

  test('every change of a right token, and takes only the one that was signed', async () => {
    const check = aCheck();
    const token = await signed();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'aZ9_-.='), async (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        // The last character of a part in base64url has bits that say nothing.
        const isSame = changed.split('.').every((text, index) => {
          const bytes = Buffer.from(text, 'base64url');
          return bytes.equals(Buffer.from(token.split('.')[index] ?? '', 'base64url'));
        });
        const told = await check.judge(changed);
        expect(told === LOCAL_CALLER_ID ? isSame : told.startsWith('TOKEN_NOT_ACCEPTED')).toBe(true);
      }),
      { numRuns: 200 },
    );
    expect(check.read).toHaveLength(1);
  });

  test('whatever else is sent as a token, with a reason of the catalogue', async () => {
    const check = aCheck();
    const json = fc.jsonValue({ maxDepth: 2 }).map(part);
    const anything = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.tuple(json, json, fc.base64String()).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (token) => {
        expect(await check.judge(token)).toMatch(/^TOKEN_NOT_ACCEPTED: \w/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the keys of Entra', () => {
  const NEW = async () => ({ ...(await exportJWK(foreign.publicKey)), kid: 'two', use: 'sig' });
  const withNewKey = () => signed({ exp: seconds(NOW) + 200_000 }, { kid: 'two' }, foreign.privateKey);
  const withOldKey = () => signed({ exp: seconds(NOW) + 200_000 });

  test('are read once for many tokens', async () => {
    const check = aCheck();
    const token = await withOldKey();
    const told = await Promise.all(Array.from({ length: 20 }, () => check.judge(token)));
    expect([new Set(told), check.read.length]).toEqual([new Set([LOCAL_CALLER_ID]), 1]);
  });

  test('are read again for a key id that is new, at most every half minute', async () => {
    const check = aCheck();
    const [old, next] = await Promise.all([withOldKey(), withNewKey()]);
    await check.judge(old);
    check.publish([PUBLISHED, await NEW()]);
    check.pass(29_000);
    expect(await check.judge(next)).toContain('names no key');
    check.pass(2000);
    expect(await check.judge(next)).toBe(LOCAL_CALLER_ID);
    for (let many = 0; many < 50; many += 1) await check.judge(await signed({}, { kid: `made-up-${many}` }));
    expect(check.read).toHaveLength(2);
  });

  test('that were withdrawn are not trusted for longer than an hour', async () => {
    const check = aCheck();
    const old = await withOldKey();
    await check.judge(old);
    check.publish([await NEW()]);
    check.pass(HOUR_MS);
    expect(await check.judge(old)).toBe(LOCAL_CALLER_ID);
    check.pass(1000);
    expect(await check.judge(old)).toContain('names no key');
  });

  test('go on being used for a day while Entra cannot be reached, which is asked every five seconds at most', async () => {
    const check = aCheck();
    const old = await withOldKey();
    await check.judge(old);
    check.publish(new Error('down'));
    check.pass(2 * HOUR_MS);
    for (let many = 0; many < 10; many += 1) expect(await check.judge(old)).toBe(LOCAL_CALLER_ID);
    expect(check.read).toHaveLength(2);
    check.pass(22 * HOUR_MS + 1000);
    expect(await check.judge(old)).toBe('ENTRA_KEYS_UNREACHABLE: ');
  });

  test('where there are none nobody can say, which is no fault of the token, and is tried again', async () => {
    const check = aCheck();
    const old = await withOldKey();
    check.publish(new Error('down'));
    expect([await check.judge(old), await check.judge(old), check.read.length]).toEqual([
      'ENTRA_KEYS_UNREACHABLE: ',
      'ENTRA_KEYS_UNREACHABLE: ',
      1,
    ]);
    check.publish([PUBLISHED]);
    check.pass(5000);
    expect(await check.judge(old)).toBe(LOCAL_CALLER_ID);
  });

  test('a new key id while Entra cannot be reached may be right: nobody says that it is wrong', async () => {
    const check = aCheck();
    await check.judge(await withOldKey());
    check.publish(new Error('down'));
    check.pass(MINUTE_MS);
    expect(await check.judge(await withNewKey())).toBe('ENTRA_KEYS_UNREACHABLE: ');
  });

  test.each<[string, unknown[] | Error]>([
    ['no list', { keys: 'canary' } as unknown as unknown[]],
    ['nothing', undefined as unknown as unknown[]],
  ])('that are %s are no keys', async (_case, published) => {
    const check = aCheck();
    check.publish(published);
    expect(await check.judge(await withOldKey())).toBe('ENTRA_KEYS_UNREACHABLE: ');
  });

  test('a tenant that settings name by its domain has the id that Entra says', async () => {
    const check = aCheck('contoso.example');
    expect(await check.judge(await withOldKey())).toBe(LOCAL_CALLER_ID);
    expect(await check.judge(await signed({ iss: `${AUTHORITY}/${OTHER_TENANT}/v2.0` }))).toContain(
      'Another tenant',
    );
    expect(check.read.toSorted()).toEqual([
      `${AUTHORITY}/contoso.example/discovery/v2.0/keys`,
      `${AUTHORITY}/contoso.example/v2.0/.well-known/openid-configuration`,
    ]);
  });
});

test.each([
  [
    'https://login.microsoftonline.us',
    [`https://sts.windows.net/t/`, 'https://login.microsoftonline.us/t/v2.0'],
  ],
  [
    'https://login.chinacloudapi.cn',
    [
      'https://sts.chinacloudapi.cn/t/',
      'https://login.chinacloudapi.cn/t/v2.0',
      'https://login.partner.microsoftonline.cn/t/v2.0',
    ],
  ],
])('of the tokens of %s the issuers are those of that cloud', (authority, issuers) => {
  expect(issuersOf(authority, 't')).toEqual(issuers);
});

describe('with the Entra of the local cloud', () => {
  const start = async () => {
    const entra = await startEntra({
      tls: await trustedCertificate(),
      port: 0,
      directory: () => contoso('a secret', new Date()),
      audiences: () => [],
      keys: await makeTokenKeys(),
      now: () => new Date(),
    });
    onTestFinished(() => entra.close());
    let ahead = 0;
    const tokens = openAppTokens(
      { authority: entra.url, tenant: LOCAL_TENANT_ID, clientId: LOCAL_CLIENT_ID },
      { readJson: makeReadJson(openHttps()), now: () => new Date(Date.now() + ahead) },
    );
    const getToken = async (): Promise<string> => {
      const response = await fetch(`${entra.url}/${LOCAL_TENANT_ID}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: LOCAL_CALLER_ID,
          client_secret: LOCAL_CALLER_SECRET,
          scope: `api://${LOCAL_CLIENT_ID}/.default`,
        }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    };
    return {
      entra,
      getToken,
      judge: (token: string) => judge(tokens, token),
      pass: (ms: number) => {
        ahead += ms;
      },
    };
  };

  test('a key that was rolled is read, and a token of the key before it goes on being taken', async () => {
    const { entra, getToken, judge: told, pass } = await start();
    const before = await getToken();
    expect(await told(before)).toBe(LOCAL_CALLER_ID);
    await entra.rollKeys();
    pass(MINUTE_MS);
    expect(await told(await getToken())).toBe(LOCAL_CALLER_ID);
    expect(await told(before)).toBe(LOCAL_CALLER_ID);
    expect(entra.keyRequests()).toBe(2);
  });

  test.each<[string, object]>([
    ['an error', { status: 500 }],
    ['another address', { status: 302, body: {} }],
    ['more than keys have', { status: 200, body: { keys: [], filler: 'x'.repeat(300_000) } }],
    ['no JSON', { status: 200, body: 'canary' }],
    ['a connection that breaks', { reset: true }],
  ])('what it answers with %s is no answer', async (_case, fault) => {
    const { entra, getToken, judge: told } = await start();
    const token = await getToken();
    entra.faults.add({ path: '/discovery/', ...fault });
    const unreachable: ErrorCode = 'ENTRA_KEYS_UNREACHABLE';
    expect(await told(token)).toBe(`${unreachable}: `);
  });
});
