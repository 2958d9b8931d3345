import http, { type IncomingMessage } from 'node:http';
import type { MakeOneRequest } from '../graph/one-request.ts';

const PATIENCE_MS = 10_000;
/** The answer has some hundred bytes. */
const MOST_BYTES = 256 * 1024;
/** This very app, on this machine: the only place to which a key goes without TLS. */
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

const overLoopback: MakeOneRequest = ({ url, method, headers, signal }) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { ...headers }, signal }, resolve);
    request.on('error', reject);
    request.end();
  });

/**
 * Asks the host whether a key is its master key, by a call of this app that only the master key opens: the relay does not know the key.
 * `hostname` is what the platform says of itself (WEBSITE_HOSTNAME), never what a request says, which could lead the key anywhere.
 */
export const makeCheckMasterKey =
  (hostname: string | undefined, request: MakeOneRequest) =>
  async (key: string): Promise<'right' | 'wrong' | 'unknown'> => {
    if (hostname === undefined || !/^[\w.:[\]-]+$/.test(hostname)) return 'unknown';
    const isLoopback = LOOPBACK.test(hostname);
    try {
      const answer = await (isLoopback ? overLoopback : request)({
        url: `${isLoopback ? 'http' : 'https'}://${hostname}/api/health/details`,
        method: 'GET',
        headers: { 'x-functions-key': key, accept: 'application/json' },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const body = await textOf(answer);
      if (answer.statusCode === 401) return 'wrong';
      return answer.statusCode === 200 && isHealth(body) ? 'right' : 'unknown';
    } catch {
      return 'unknown';
    }
  };

const textOf = async (answer: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`Expected at most ${MOST_BYTES} bytes, received more.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** What answers is this app, and no page of something in front of it. */
const isHealth = (body: string): boolean => {
  const read: unknown = JSON.parse(body);
  return typeof read === 'object' && read !== null && 'settingsInvalid' in read;
};
