import http from 'node:http';
import https from 'node:https';

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
