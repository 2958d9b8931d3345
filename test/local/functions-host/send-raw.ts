import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

export type RawAnswer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
};

/** What `fetch` would tidy up: chunks, headers that are empty or given twice, a foreign Host. */
export const sendRaw = (
  url: string,
  options: https.RequestOptions,
  chunks: readonly (string | Buffer)[] = [],
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { request: start } = url.startsWith('https:') ? https : http;
    const request = start(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.on('error', reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });

/** No `Content-Length`: .NET's PostAsJsonAsync, a Python generator, many proxies. */
export const sendInChunks = (
  url: string,
  chunks: readonly (string | Buffer)[],
  headers: http.OutgoingHttpHeaders = {},
): Promise<RawAnswer> =>
  sendRaw(url, { method: 'POST', headers: { ...headers, 'Transfer-Encoding': 'chunked' } }, chunks);

export type RawClient = {
  /** Sends the bytes as they are; resolves when the system has taken them. */
  readonly write: (text: string) => Promise<void>;
  /** What the server sent, when it has closed the connection. */
  readonly closed: Promise<string>;
  readonly leave: () => void;
};

/** A client that keeps to no rule of HTTP. `HOST` in what it writes becomes the address of the server. */
export const connectRaw = async (port: number): Promise<RawClient> => {
  const socket = net.connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return {
    write: (text) =>
      new Promise((resolve) => socket.write(text.replace('HOST', `127.0.0.1:${port}`), () => resolve())),
    closed: once(socket, 'close').then(() => received),
    leave: () => socket.destroy(),
  };
};
