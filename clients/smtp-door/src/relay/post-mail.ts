import { parseRetryAfter } from '../../../../src/lib/sending/retry-after.ts';
import type { Submission } from '../submission.ts';
import { type RelayAnswer, readBody } from './answer.ts';

/** Where the relay is, and how long it has. */
export type RelayAddress = {
  /** Ends in /api, without a slash after it. */
  readonly url: string;
};

export type PostMail = (submission: Submission, key: string, timeoutMs: number) => Promise<RelayAnswer>;

/** A key of the relay; any other one is a function key, which Azure checks. */
export const isRelayKey = (key: string): boolean => key.startsWith('gmr_');

/** More than any response of the relay: a page of something else is not read to its end. */
const MAX_RESPONSE = 1_000_000;

/** A kept connection that the other side closed at the same moment. With its idempotency key an email can be posted again. */
const BROKEN: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * Posts emails. A redirect is not followed: the key belongs to the address of the configuration. `fetch` keeps connections, and uses
 * a proxy where NODE_USE_ENV_PROXY=1 says so.
 */
export const postMailTo = (
  { url }: RelayAddress,
  now: () => Date,
  request: typeof fetch = fetch,
): PostMail => {
  const post = async (submission: Submission, key: string, signal: AbortSignal): Promise<RelayAnswer> => {
    const { body, contentType, idempotencyKey } = submission;
    try {
      const response = await request(`${url}/${isRelayKey(key) ? 'v1/mail' : 'mail'}`, {
        method: 'POST',
        redirect: 'manual',
        signal,
        headers: {
          [isRelayKey(key) ? 'x-api-key' : 'x-functions-key']: key,
          'content-type': contentType,
          'idempotency-key': idempotencyKey,
        },
        body: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength),
      });
      return {
        kind: 'response',
        status: response.status,
        body: readBody(response.headers.get('content-type'), await readText(response)),
        retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), now()),
      };
    } catch (error) {
      return signal.aborted
        ? { kind: 'none', why: 'timeout', cause: 'TIMEOUT' }
        : { kind: 'none', why: 'network', cause: causeOf(error) };
    }
  };
  return async (submission, key, timeoutMs) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await post(submission, key, signal);
    return answer.kind === 'none' && BROKEN.has(answer.cause) ? post(submission, key, signal) : answer;
  };
};

const readText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_RESPONSE) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** The code of a network error, which names no address: ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED, UND_ERR_SOCKET. */
export const causeOf = (error: unknown): string => {
  const { cause } = error as {
    readonly cause?: { readonly code?: unknown; readonly errors?: readonly unknown[] };
  };
  const first = cause?.errors?.[0] as { readonly code?: unknown } | undefined;
  const code = cause?.code ?? first?.code ?? (error as { readonly code?: unknown }).code;
  return typeof code === 'string' ? code : 'NETWORK';
};
