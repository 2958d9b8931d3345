import type { IncomingMessage } from 'node:http';
import https, { type AgentOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { defined } from '../defined.ts';
import { proxyRefusalOf } from '../proxy-refusal.ts';

type OneRequest = {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Our deadline. */
  readonly signal: AbortSignal;
  /** Asked right before the first byte; if it may not, nothing is sent, as where no connection was made. */
  readonly mayBegin?: () => boolean;
};

/** Gives the answer as soon as its headers are there. Throws NeverConnected only where not a byte was written. */
export type MakeOneRequest = (request: OneRequest) => Promise<IncomingMessage>;

/** DNS, TCP, TLS or a proxy failed, or none of them was done in time, before a byte of the request was written. */
export class NeverConnected extends Error {
  override readonly name = 'NeverConnected';
  /** Where the proxy refused it, in a sentence. */
  readonly proxyRefusal: string | undefined;

  constructor(cause: unknown) {
    super('no connection was made', { cause });
    this.proxyRefusal = proxyRefusalOf(cause);
  }
}

/** What is reported of a connection that was never made. */
export const notConnected = ({ proxyRefusal }: NeverConnected) =>
  ({ kind: 'not-connected', ...defined({ proxyRefusal }) }) as const;

/**
 * Shorter than any front end keeps an idle connection (Node's own fetch: 4 s): a request on one that the other side
 * closes at that moment has an unknown outcome, and the mail must be looked for.
 */
const IDLE_MS = 4000;
/** What does not connect by then is tried again by the queue, rather than with a caller who waits. */
const CONNECT_MS = 10_000;

/**
 * HTTP/1.1 by `node:https`, which puts on the wire what it is told, once: no second request for a 421, as `fetch`
 * makes, no redirect, no hidden 407, no retry on a connection that broke. The body is handed over when the
 * connection stands, so whatever fails before is known not to have sent anything.
 * `proxyEnv` is the proxy of the settings.
 */
export const openHttps = (proxyEnv?: AgentOptions['proxyEnv'], connectMs = CONNECT_MS): MakeOneRequest => {
  const agent = new https.Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    ...defined({ proxyEnv }),
  });

  return ({ url, method, headers, body, signal, mayBegin }) =>
    new Promise((resolve, reject) => {
      let written = false;
      const request = https.request(url, { agent, method, headers });
      const fail = (cause: unknown) => {
        reject(written ? cause : new NeverConnected(cause));
      };
      const giveUp = (reason: unknown) => {
        fail(reason);
        request.destroy();
      };
      const giveUpAtDeadline = () => giveUp(signal.reason);
      const write = () => {
        // Given up while the connection was made: nothing may be sent any more.
        if (request.destroyed) return;
        // A process can have been frozen until here, and nothing but this line knows: a timer that is late runs later than what was received.
        if (mayBegin?.() === false) return giveUp(new Error('the time of the attempt is over'));
        written = true;
        request.end(body);
      };

      request.once('socket', (socket) => {
        // So also where a connection was kept, or a proxy's tunnel is through. Nothing is sent unless it holds.
        if (request.reusedSocket || (socket as TLSSocket).authorized) return write();
        socket.once('secureConnect', write);
      });
      // From here on, as through a proxy there is no socket before the tunnel and TLS are through.
      const late = AbortSignal.timeout(connectMs);
      const giveUpLate = () => {
        if (!written) giveUp(late.reason);
      };
      late.addEventListener('abort', giveUpLate);
      request.once('response', resolve);
      // After the answer too: one that is refused before it was read to its end is cut off behind its answer.
      request.on('error', fail);
      request.once('close', () => {
        signal.removeEventListener('abort', giveUpAtDeadline);
        late.removeEventListener('abort', giveUpLate);
        fail(new Error('the connection was closed without an answer'));
      });
      if (signal.aborted) giveUpAtDeadline();
      else signal.addEventListener('abort', giveUpAtDeadline);
    });
};
