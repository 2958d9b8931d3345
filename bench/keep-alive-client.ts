import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export type RawAnswer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
};

export type KeepAliveClient = {
  /** Throws ConnectionLost if the request was written and its connection then ended without a response. */
  send(
    method: Method,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string | Uint8Array,
  ): Promise<RawAnswer>;
  close(): void;
};

/** Nobody knows whether the server has carried the request out, so it is not sent again: measure from the start. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** Less than any server here keeps an idle connection (Node and Azurite: 5 s), so that this side closes first. */
const IDLE_MS = 4000;

const NOTHING_SENT = Symbol('nothing sent');

/**
 * Node's plain client on kept connections: as little as can be between a loop and a server.
 *
 * A server can close an idle connection at the moment a request takes it. Node hands a request its socket before it writes
 * a byte, so the first byte is held back until the event loop has read what the socket has for us. If that is an end or a
 * reset, nothing was sent, and the request takes another connection. Once a byte is written, nothing is repeated.
 */
export const openClient = (origin: string, certificateFile?: string): KeepAliveClient => {
  const secure = origin.startsWith('https:');
  const options = {
    keepAlive: true,
    timeout: IDLE_MS,
    ...(certificateFile ? { ca: readFileSync(certificateFile) } : {}),
  };
  const agent = secure ? new https.Agent(options) : new http.Agent(options);
  const { request } = secure ? https : http;

  const attempt = (
    method: Method,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
  ): Promise<RawAnswer | typeof NOTHING_SENT> =>
    new Promise((resolve, reject) => {
      let written = false;
      const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) };
      const call = request(`${origin}${path}`, { method, agent, headers: { ...headers, ...length } });
      const write = () => {
        if (call.destroyed) return;
        written = true;
        call.end(body);
      };
      call.once('socket', () => {
        if (call.reusedSocket) setImmediate(write);
        else write();
      });
      call.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.once('error', reject);
      });
      call.on('error', (cause) => {
        if (!call.reusedSocket) return reject(cause);
        if (!written) return resolve(NOTHING_SENT);
        reject(
          new ConnectionLost(`${method} ${origin}: the connection ended before the response.`, { cause }),
        );
      });
    });

  return {
    send: async (method, path, headers = {}, body = '') => {
      for (;;) {
        const answer = await attempt(method, path, headers, body);
        if (answer !== NOTHING_SENT) return answer;
      }
    },
    close: () => agent.destroy(),
  };
};
