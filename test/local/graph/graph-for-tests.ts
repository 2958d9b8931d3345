import { afterEach } from 'vitest';
import { contoso, type Directory, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { makeTokenKeys, type TokenClaims } from '../../../local/entra/token-keys.ts';
import type { GraphError } from '../../../local/graph/graph-error.ts';
import { type Graph, type GraphOptions, startGraph } from '../../../local/graph/graph-server.ts';
import type { CapturedMail, GraphMessage } from '../../../src/lib/inbox/captured-mail.ts';
import { trustedCertificate } from '../certificate-for-tests.ts';

const START = new Date('2026-03-02T08:00:00.250Z');
const keys = await makeTokenKeys(() => START);
const running: Graph[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((graph) => graph.close()));
});

export type GraphForTests = Awaited<ReturnType<typeof graphForTests>>;

/** A stand-in of its own for one test, with a clock that only the test moves. */
export async function graphForTests(options: Partial<GraphOptions> = {}) {
  const captured: CapturedMail[] = [];
  let nowMs = START.getTime();
  const graph = await startGraph({
    tls: await trustedCertificate(),
    port: 0,
    directory: () => contosoForTests(),
    verifyToken: keys.verify,
    capture: async (mail) => void captured.push(mail),
    now: () => new Date(nowMs),
    limits: { on: false },
    ...options,
  });
  running.push(graph);
  return {
    ...graph,
    captured,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

export const contosoForTests = (change: Partial<Directory['apps'][number]> = {}): Directory => {
  const directory = contoso('a secret', START);
  return { ...directory, apps: directory.apps.map((app) => ({ ...app, ...change })) };
};

export const tokenWith = (claims: Partial<TokenClaims> = {}): Promise<string> => {
  const seconds = Math.floor(START.getTime() / 1000);
  return keys.sign({
    aud: 'https://graph.microsoft.com',
    iss: `https://sts.windows.net/${LOCAL_TENANT_ID}/`,
    tid: LOCAL_TENANT_ID,
    appid: LOCAL_CLIENT_ID,
    roles: ['Mail.Send'],
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3600,
    ...claims,
  });
};

export const aMessage = (change: Record<string, unknown> = {}): Partial<GraphMessage> => ({
  subject: 'Pay slip',
  body: { contentType: 'text', content: 'Attached.' },
  toRecipients: [{ emailAddress: { address: 'ada@fabrikam.example', name: 'Ada' } }],
  ...change,
});

export type Sending = {
  readonly mailbox?: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body` as JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string | undefined>;
  readonly token?: string;
  readonly method?: string;
  readonly path?: string;
  readonly signal?: AbortSignal;
};

export async function send(graph: { readonly url: string }, sending: Sending = {}): Promise<Response> {
  const { mailbox = 'noreply@contoso.example', method = 'POST', body = { message: aMessage() } } = sending;
  const headers = {
    authorization: `Bearer ${sending.token ?? (await tokenWith())}`,
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...sending.headers,
  };
  return fetch(`${graph.url}${sending.path ?? `/v1.0/users/${mailbox}/sendMail`}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ...(method === 'POST' && { body: sending.raw ?? JSON.stringify(body) }),
    ...(sending.signal && { signal: sending.signal }),
  });
}

export type ErrorBody = {
  readonly error: Pick<GraphError, 'code' | 'message'> & { readonly innerError: Record<string, string> };
};

export const errorOf = async (response: Response): Promise<ErrorBody['error']> =>
  ((await response.json()) as ErrorBody).error;

/** Waits for what another connection sees, without a fixed time. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const USER = '/v1.0/users/noreply@contoso.example';
export const IMMUTABLE = { prefer: 'IdType="ImmutableId"' };
/** Whoever sends by drafts. */
export const DRAFTER = { roles: ['Mail.Send', 'Mail.ReadWrite'] };

export type Asking = {
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
  readonly claims?: Partial<TokenClaims>;
};

/** One call of an app that may do everything with messages; the path begins after the user. */
export async function ask(
  graph: { readonly url: string },
  method: string,
  path: string,
  { json, raw, headers = {}, claims = DRAFTER }: Asking = {},
): Promise<Response> {
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  return fetch(`${graph.url}${USER}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await tokenWith(claims)}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
}

export type Message = Record<string, unknown> & { readonly id: string };

/** A new draft, which has to succeed. */
export async function draft(
  graph: { readonly url: string },
  json: unknown = aMessage(),
  headers: Record<string, string> = {},
): Promise<Message> {
  const response = await ask(graph, 'POST', '/messages', { json, headers });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Message;
}

export const pathOf = ({ id }: Pick<Message, 'id'>) => `/messages/${encodeURIComponent(id)}`;

/** The status and Graph's code of a refusal. */
export const refusalOf = async (response: Response): Promise<readonly [status: number, code: string]> => [
  response.status,
  (await errorOf(response)).code,
];
