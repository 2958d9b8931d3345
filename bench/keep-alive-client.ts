import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

type Answer = { readonly status: number; readonly text: string };

export type KeepAliveClient = {
  send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer>;
  close(): void;
};

/** Node's plain client on kept connections: as little as can stand between a loop and a server. */
export const openClient = (origin: string, certificateFile?: string): KeepAliveClient => {
  const secure = origin.startsWith('https:');
  const options = { keepAlive: true, ...(certificateFile ? { ca: readFileSync(certificateFile) } : {}) };
  const agent = secure ? new https.Agent(options) : new http.Agent(options);
  const { request } = secure ? https : http;
  return {
    send: (method, path, headers = {}, body = '') =>
      new Promise((resolve, reject) => {
        const length = method === 'GET' ? {} : { 'content-length': Buffer.byteLength(body) };
        const call = request(
          `${origin}${path}`,
          { method, agent, headers: { ...headers, ...length } },
          (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (chunk: string) => {
              text += chunk;
            });
            response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
            response.once('error', reject);
          },
        );
        call.once('error', reject);
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
};
