import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** An email that the stand-in has, by its idempotency key. */
export type Arrived = {
  readonly key: string;
  readonly account: string;
  readonly digest: string;
  readonly body: Buffer;
};

/** How the stand-in fails a request: before it has the email, or after. */
export type Fault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly code?: string;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' };

/** A relay that keeps what the door depends on: one email for one key, as docs/api.md promises it. */
export const startRelayStandIn = async (
  fault: (key: string) => Fault | undefined = () => undefined,
  port = 0,
) => {
  const emails = new Map<string, Arrived>();
  const requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  let current = fault;
  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      const { headers, url = '' } = request;
      requests.push({ path: url, headers });
      const key = String(headers['idempotency-key']);
      const found = current(key);
      const answer = (status: number, value: object, more: Record<string, string> = {}): void => {
        const type = status < 300 ? 'application/json' : 'application/problem+json';
        response.writeHead(status, { 'content-type': type, ...more }).end(JSON.stringify(value));
      };
      if (found?.kind === 'cut' && found.when === 'before') return request.socket.destroy();
      if (found?.kind === 'answer') {
        if (found.code === undefined) return response.writeHead(found.status, found.headers).end('<html>');
        const { status, code } = found;
        return answer(status, { status, code, title: `Title of ${code}`, remedy: 'Do this.' }, found.headers);
      }
      const digest = createHash('sha256').update(body).digest('hex');
      const known = emails.get(key);
      if (known !== undefined && known.digest !== digest)
        return answer(422, {
          status: 422,
          code: 'IDEMPOTENCY_KEY_REUSED',
          title: 'Reused',
          remedy: 'Use another.',
        });
      const account = String(headers['x-api-key'] ?? headers['x-functions-key']);
      if (known === undefined) emails.set(key, { key, account, digest, body });
      if (found?.kind === 'cut') return request.socket.destroy();
      return answer(200, { id: `mail-${key}`, state: 'sent', sender: 'a@contoso.example' });
    } catch {
      // A client that was killed.
      return response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/api`,
    emails,
    requests,
    failWith: (next: (key: string) => Fault | undefined): void => {
      current = next;
    },
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

export type RelayStandIn = Awaited<ReturnType<typeof startRelayStandIn>>;
