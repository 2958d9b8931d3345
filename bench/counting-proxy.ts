import http from 'node:http';
import { listen } from '../local/http.ts';

/** Requests that passed, and the bytes of their bodies in both directions. */
export type Traffic = { readonly requests: number; readonly bytes: number };

export type CountingProxy = {
  readonly url: string;
  /** What passes while the work lasts. */
  count(work: () => Promise<unknown>): Promise<Traffic>;
  close(): Promise<void>;
};

/** Passes every request on to a service unchanged, and counts. */
export const startCountingProxy = async (behind: string): Promise<CountingProxy> => {
  const target = new URL(behind);
  const agent = new http.Agent({ keepAlive: true });
  const seen = { requests: 0, bytes: 0 };
  const counting = (stream: http.IncomingMessage) =>
    stream.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.byteLength;
    });

  const server = http.createServer((request, response) => {
    seen.requests += 1;
    const onward = http.request(
      {
        agent,
        host: target.hostname,
        port: target.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        counting(answer).pipe(response);
      },
    );
    onward.once('error', () => response.destroy());
    counting(request).pipe(onward);
  });
  const listening = await listen(server, { name: 'The counting proxy', port: 0, portSetting: 'none' });
  return {
    url: `${listening.url}${target.pathname}`,
    count: async (work) => {
      const before = { ...seen };
      await work();
      return { requests: seen.requests - before.requests, bytes: seen.bytes - before.bytes };
    },
    close: async () => {
      agent.destroy();
      await listening.close();
    },
  };
};
