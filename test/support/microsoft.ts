import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import type { TlsIdentity } from '../../local/certificate.ts';
import { answerJson, readBody } from '../../local/http.ts';
import { defined } from '../../src/lib/defined.ts';

/** A request as the hosts of Microsoft saw it. */
type Seen = {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** What a token was asked for, of Entra. */
  readonly scope?: string;
  /** What the token was issued for that came with it, where that can be read. */
  readonly audience?: string;
  /** What is for the proxy, and reached the host. */
  readonly proxyAuthorization?: string;
};

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

const MOST_BYTES = 20_000_000;

type Names = {
  readonly uploadHost: string;
  readonly vault: string;
  /** Where Azurite has the account that these names stand for. */
  readonly storage: Readonly<Record<string, string>>;
};

/**
 * Entra, Graph, the place of uploads, the vault and storage under the names that they have in the clouds of Microsoft, all in one server:
 * they differ by the name in the request. Storage is Azurite. The others say yes to everything; what the stand-ins of the local cloud
 * check is not in question here.
 */
export const startMicrosoft = async (tls: TlsIdentity, { uploadHost, vault, storage }: Names) => {
  const seen: Seen[] = [];
  const server = https.createServer({ ...tls }, async (request, response) => {
    const body = await readBody(request, MOST_BYTES);
    const host = (request.headers.host ?? '').replace(/:443$/, '');
    const path = (request.url ?? '').split('?')[0] ?? '';
    const scope = new URLSearchParams(body.length < 10_000 ? String(body) : '').get('scope');
    const audience = audienceOf(request.headers.authorization);
    const { 'proxy-authorization': proxyAuthorization } = request.headers;
    seen.push({
      host,
      method: request.method ?? '',
      path,
      ...(scope === null ? {} : { scope }),
      ...defined({ audience, proxyAuthorization }),
    });
    const account = storage[host];
    if (account !== undefined) return passOn(request, body, account, response);
    give(response, host === vault ? answerVault(request, host) : answer(request, host, path, uploadHost));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

/** To Azurite, which has the account in its path, and says no to names of others. */
const passOn = (
  { method, url = '', headers }: IncomingMessage,
  body: Buffer,
  account: string,
  response: ServerResponse,
): void => {
  const { host } = new URL(account);
  // A transaction of tables has addresses in its body.
  const own = `https://${headers.host}`.replace(/:443$/, '');
  const content = url.startsWith('/$batch') ? Buffer.from(String(body).replaceAll(own, account)) : body;
  const onward = https.request(
    `${account}${url}`,
    { method, headers: { ...headers, host, 'content-length': content.length } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => response.destroy()).end(content);
};

const audienceOf = (authorization = ''): string | undefined => {
  try {
    return String(decodeJwt(authorization.replace('Bearer ', '')).aud);
  } catch {
    return undefined;
  }
};

const give = (response: ServerResponse, { status, body, headers }: Answer): void => {
  if (body === undefined) response.writeHead(status, headers).end();
  else answerJson(response, status, body, headers);
};

/** A client asks first without a token, and is told what to ask one for (Key Vault: authentication, requests and responses). */
const answerVault = ({ headers }: IncomingMessage, host: string): Answer => {
  const resource = `https://${host.split('.').slice(1).join('.')}`;
  if (headers.authorization === undefined)
    return {
      status: 401,
      body: {},
      headers: {
        'www-authenticate': `Bearer authorization="https://login.example/tenant", resource="${resource}"`,
      },
    };
  const id = `https://${host}/secrets/graph-client-secret/0123456789abcdef0123456789abcdef`;
  return { status: 200, body: { value: 'the-secret', id, attributes: { enabled: true, created: 1 } } };
};

const answer = ({ method }: IncomingMessage, host: string, path: string, uploadHost: string): Answer => {
  const tenant = `https://${host}${path.split('/').slice(0, 2).join('/')}`;
  const steps: readonly (readonly [RegExp, Answer])[] = [
    [
      /openid-configuration$/,
      {
        status: 200,
        body: {
          issuer: `${tenant}/v2.0`,
          authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
          token_endpoint: `${tenant}/oauth2/v2.0/token`,
          jwks_uri: `${tenant}/discovery/v2.0/keys`,
        },
      },
    ],
    [
      /\/oauth2\/v2\.0\/token$/,
      { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: 'a-token' } },
    ],
    [/\/discovery\/v2\.0\/keys$/, { status: 200, body: { keys: [] } }],
    [/\/sendMail$|\/send$/, { status: 202 }],
    [
      /\/createUploadSession$/,
      {
        status: 201,
        body: { uploadUrl: `https://${uploadHost}/upload?authtoken=x`, nextExpectedRanges: ['0-'] },
      },
    ],
    [/^\/upload$/, { status: 201, headers: { location: 'https://outlook/attachment' } }],
    [/\/messages$/, { status: 201, body: { id: 'AAA', internetMessageId: '<a@b.example>', isDraft: true } }],
  ];
  const found = steps.find(([ending]) => ending.test(path));
  if (found !== undefined && !(method === 'GET' && /messages$/.test(path))) return found[1];
  return { status: 200, body: { value: [] } };
};
