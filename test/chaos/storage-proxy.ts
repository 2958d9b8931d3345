import http from 'node:http';
import https from 'node:https';
import { cutConnection, listen, readBody } from '../../local/http.ts';
import { type SeenOperation, seeOperation } from './storage-operations.ts';

/** What becomes of a request on its way. With `cut`, whoever asked is left without an answer. */
export type Passage = {
  readonly before?: 'cut' | 'busy';
  /** `kill`: nobody is left to hear the answer. `kill soon`: it is heard, and what follows it is under way. */
  readonly after?: 'cut' | 'kill' | 'kill soon';
};

export type Watch = {
  /** Decides about a request before it reaches storage. */
  /** `what` is the same for a request that the client repeats. */
  readonly decide: (seen: SeenOperation, what: string) => Passage;
  /** Called once storage has carried it out, before the answer leaves. */
  readonly carriedOut: (seen: SeenOperation, status: number) => void;
  readonly kill: () => void;
  /** Called with the size of every answer. */
  readonly answered?: (bytes: number) => void;
};

/** As long as the next request of a process may be under way. */
const SOON_MS = 25;
/** Above any payload of a run. */
const MAX_BODY_BYTES = 16_000_000;

/** A door of its own before a service of Azurite: sees every request, and lets it through or not. */
export const startStorageProxy = async (behind: string, { decide, carriedOut, kill, answered }: Watch) => {
  const target = new URL(behind);
  const { Agent, request: ask } = target.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true });

  const forward = (request: http.IncomingMessage, body: Buffer) =>
    new Promise<{ readonly answer: http.IncomingMessage; readonly content: Buffer }>((resolve, reject) => {
      const onward = ask(
        {
          agent,
          host: target.hostname,
          port: target.port,
          method: request.method,
          path: request.url,
          headers: request.headers,
        },
        (answer) => {
          readBody(answer, MAX_BODY_BYTES).then((content) => resolve({ answer, content }), reject);
        },
      );
      onward.on('error', reject);
      onward.end(body);
    });

  const pass = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const body = await readBody(request, MAX_BODY_BYTES);
    const seen = seeOperation({ method: request.method ?? '', path: request.url ?? '', body });
    const { before, after } = decide(seen, `${request.method} ${request.url} ${body.toString('latin1')}`);
    if (before === 'cut') return cutConnection(request);
    if (before === 'busy') return void response.writeHead(503, { 'content-length': 0 }).end();
    const { answer, content } = await forward(request, body);
    carriedOut(seen, answer.statusCode ?? 0);
    answered?.(content.length);
    if (after === 'kill') kill();
    if (after === 'kill' || after === 'cut') return cutConnection(request);
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
    if (after === 'kill soon') setTimeout(kill, SOON_MS);
  };

  const server = http.createServer((request, response) => {
    // A process that is killed in the middle of a request is no fault of the proxy.
    pass(request, response).catch(() => response.destroy());
  });
  const listening = await listen(server, { name: 'A storage proxy', port: 0, portSetting: 'none' });
  return {
    url: `${listening.url}${target.pathname}`,
    close: async () => {
      agent.destroy();
      await listening.close();
    },
  };
};
