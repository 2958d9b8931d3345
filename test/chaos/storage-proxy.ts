import http from 'node:http';
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { cutConnection, listen, readBody } from '../../local/http.ts';
import type { Exchange } from './held-messages.ts';
import { type SeenOperation, seeOperation } from './storage-operations.ts';

/** Which process dies. Where it is the worker, its host gives its messages back; else they stay hidden for their lease. */
export type Killed = 'worker' | 'host';

/** What becomes of a request on its way. With `cut`, whoever asked is left without an answer. */
export type Passage = {
  readonly before?: 'cut' | 'busy';
  /**
   * `kill`: nobody is left to hear the answer. `kill soon`: it is heard, and what follows it is under way. `stop`: it lies there until the
   * process goes on.
   */
  readonly after?: 'cut' | 'kill' | 'kill soon' | 'stop';
  /** Whom a kill hits. */
  readonly whom?: Killed;
  /** How long a stop lasts. */
  readonly stopMs?: number;
  /** Storage hears of it so much later, whether anybody waits for the answer then or not. */
  readonly requestMs?: number;
  /** Whoever asked is answered so much later. */
  readonly answerMs?: number;
  /** Done once storage has carried it out, before anybody hears of it. */
  readonly meanwhile?: (exchange: Exchange, body: string) => Promise<void>;
};

export type Watch = {
  /** Decides about a request before it reaches storage. */
  /** `what` is the same for a request that the client repeats. */
  readonly decide: (seen: SeenOperation, what: string) => Passage;
  /** Called once storage has carried it out, before the answer leaves. */
  readonly carriedOut: (seen: SeenOperation, status: number, exchange: Exchange) => void;
  readonly kill: (whom: Killed) => void;
  /** Stops the process that asked. */
  readonly stop?: (ms: number) => void;
  /** Called with the size of every answer. */
  readonly answered?: (bytes: number) => void;
};

/** As long as the next request of a process may be under way. */
const SOON_MS = 25;
/** Above any payload of a run. */
const MAX_BODY_BYTES = 16_000_000;

/** A door of its own before a service of Azurite: sees every request, and lets it through or not. */
export const startStorageProxy = async (behind: string, watch: Watch) => {
  const { decide, carriedOut, kill, stop, answered } = watch;
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
    const { method = '', url: path = '' } = request;
    const seen = seeOperation({ method, path, body });
    const passage = decide(seen, `${method} ${path} ${body.toString('latin1')}`);
    const { before, after, whom = 'worker', stopMs = 0, requestMs, answerMs, meanwhile } = passage;
    if (before === 'cut') return cutConnection(request);
    if (before === 'busy') return void response.writeHead(503, { 'content-length': 0 }).end();
    if (requestMs !== undefined) await wait(requestMs);
    const { answer, content } = await forward(request, body);
    const status = answer.statusCode ?? 502;
    const exchange = { method, path, status, popReceipt: popReceiptOf(answer), content: content.toString() };
    await meanwhile?.(exchange, body.toString());
    carriedOut(seen, status, exchange);
    answered?.(content.length);
    if (answerMs !== undefined) await wait(answerMs);
    if (after === 'kill') kill(whom);
    if (after === 'kill' || after === 'cut') return cutConnection(request);
    if (after === 'stop') stop?.(stopMs);
    response.writeHead(status, answer.headers).end(content);
    if (after === 'kill soon') setTimeout(() => kill(whom), SOON_MS);
  };
  const passing = new Set<Promise<void>>();

  const server = http.createServer((request, response) => {
    // A process that is killed in the middle of a request is no fault of the proxy.
    const passed = pass(request, response)
      .catch(() => void response.destroy())
      .finally(() => passing.delete(passed));
    passing.add(passed);
  });
  const listening = await listen(server, { name: 'A storage proxy', port: 0, portSetting: 'none' });
  return {
    url: `${listening.url}${target.pathname}`,
    close: async () => {
      // What is held on its way reaches storage, also after the end of the process that asked.
      await Promise.all(passing);
      agent.destroy();
      await listening.close();
    },
  };
};

const popReceiptOf = ({ headers }: http.IncomingMessage): string | undefined => {
  const value = headers['x-ms-popreceipt'];
  return typeof value === 'string' ? value : undefined;
};
