import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openKeyVault } from '../../../src/lib/vault/key-vault.ts';
import { requestToken } from '../../../src/lib/vault/token-request.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';

const SECRET = 'canary-secret';
const TOKEN = 'canary-token';

type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** A host on TLS, and the requests that reached it. */
const aHost = async (answer: (url: string, self: string) => Answer) => {
  const requests: string[] = [];
  const server = createServer(await trustedCertificate(), async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''} ${body}`);
    const self = `https://${request.headers.host}`;
    const { status, headers, body: json } = answer(request.url ?? '', self);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(json ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, requests };
};

const REDIRECTS = [301, 302, 303, 307, 308];
const elsewhere = () =>
  aHost(() => ({ status: 200, body: { access_token: 'x', expires_in: 3600, value: [] } }));

const discovery = (self: string, tokenHost = self) => ({
  issuer: `${self}/contoso/v2.0`,
  authorization_endpoint: `${self}/contoso/oauth2/v2.0/authorize`,
  token_endpoint: `${tokenHost}/contoso/oauth2/v2.0/token`,
  jwks_uri: `${self}/contoso/discovery/v2.0/keys`,
});

const ask = (authority: string) =>
  requestToken(
    {
      authority,
      tenantId: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
      clientId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb',
      scope: 'https://graph.microsoft.com/.default',
    },
    { kind: 'secret', secret: SECRET },
    AbortSignal.timeout(60_000),
  );

describe('Entra cannot send the client secret to another host', () => {
  test.each(REDIRECTS)('by the status %i: it is not followed', async (status) => {
    const other = await elsewhere();
    const entra = await aHost((url, self) =>
      url.includes('.well-known')
        ? { status: 200, body: discovery(self) }
        : { status, headers: { location: `${other.url}/token` } },
    );
    expect(await ask(entra.url)).toHaveProperty('failure');
    expect(entra.requests.join('\n')).toContain(SECRET);
    expect(other.requests).toEqual([]);
  });

  test('by the address that it gives for tokens', async () => {
    const other = await elsewhere();
    const entra = await aHost((_url, self) => ({ status: 200, body: discovery(self, other.url) }));
    await ask(entra.url);
    expect(other.requests).toEqual([]);
  });
});

describe('a vault cannot send its token to another host', () => {
  const open = (vaultUrl: string) =>
    openKeyVault(
      { vaultUrl },
      {
        credential: { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) },
        now: () => new Date(),
      },
    );
  const challenge = (self: string): Answer => ({
    status: 401,
    headers: {
      'www-authenticate': `Bearer authorization="${self}/contoso", resource="https://vault.azure.net"`,
    },
  });

  test.each(REDIRECTS)('by the status %i: it is not followed', async (status) => {
    const other = await elsewhere();
    let asked = 0;
    const vault = await aHost((_url, self) =>
      asked++ === 0 ? challenge(self) : { status, headers: { location: `${other.url}/secrets` } },
    );
    await expect(open(vault.url).readCurrent('graph-client-secret')).rejects.toThrow();
    expect(vault.requests.join('\n')).toContain(TOKEN);
    expect(other.requests).toEqual([]);
  });

  test('by the address of the next page', async () => {
    const other = await elsewhere();
    let asked = 0;
    const vault = await aHost((_url, self) =>
      asked++ === 0
        ? challenge(self)
        : { status: 200, body: { value: [], nextLink: `${other.url}/secrets?page=2` } },
    );
    await open(vault.url)
      .listSecrets()
      .catch(() => undefined);
    expect(vault.requests.join('\n')).toContain(TOKEN);
    expect(other.requests.join('\n')).not.toContain(TOKEN);
  });
});
