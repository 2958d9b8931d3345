import { Client, type Context, type Middleware, ResponseType } from '@microsoft/microsoft-graph-client';
import type { SendThroughGraph } from '../attempt-mail.ts';
import { AppError } from '../errors.ts';
import type { SendReport } from '../mail/send-outcome.ts';
import { TokenError, type TokenSource } from '../vault/entra-token.ts';
import { neverConnected, watchConnections } from './connect-failures.ts';

export type GraphMailOptions = {
  readonly endpoint: string;
  /** Our own deadline for one request, well under the limit of an invocation. */
  readonly timeoutMs: number;
};

/** Graph's error answers are small; more than this is some proxy's page. */
const MAX_ERROR_TEXT = 64 * 1024;

/** Why a request had no answer, by its abort signal: the client itself throws away the cause. */
const failures = new WeakMap<AbortSignal, unknown>();

/**
 * Graph's client with nothing between it and the network. Its default chain retries 429, 503 and 504 by itself,
 * which sends a mail up to four times when the answer is lost, and follows redirects.
 */
const sendOnce: Middleware = {
  execute: async (context: Context) => {
    try {
      context.response = await fetch(context.request, { ...context.options, redirect: 'manual' });
    } catch (failure) {
      if (context.options?.signal) failures.set(context.options.signal, failure);
      throw failure;
    }
  },
};

/** Sends mail by `POST /users/{sender}/sendMail` and reports what was observed. */
export const openGraphMail = (
  { endpoint, timeoutMs }: GraphMailOptions,
  tokens: TokenSource,
): SendThroughGraph => {
  watchConnections();
  const client = Client.initWithMiddleware({ middleware: sendOnce, baseUrl: `${endpoint}/` });

  return async (plan) => {
    let token: string;
    try {
      token = await tokens.readToken();
    } catch (thrown) {
      return noToken(thrown);
    }
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response: Response = await client
        .api(`/users/${encodeURIComponent(plan.mailbox)}/sendMail`)
        .responseType(ResponseType.RAW)
        .options({ signal })
        .header('Authorization', `Bearer ${token}`)
        .header('Content-Type', 'application/json')
        .post(plan.body);
      if (response.status === 401) tokens.forget(token);
      return await toReport(response);
    } catch {
      if (neverConnected(failures.get(signal))) return { kind: 'not-connected' };
      return { kind: 'lost', why: signal.aborted ? 'timeout' : 'connection' };
    }
  };
};

const noToken = (thrown: unknown): SendReport => {
  if (!(thrown instanceof AppError)) throw thrown;
  const retryAfter = thrown instanceof TokenError ? thrown.retryAfter : undefined;
  const { upstreamCode } = thrown.facts;
  return {
    kind: 'no-token',
    code: thrown.code,
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
};

const toReport = async (response: Response): Promise<SendReport> => {
  const { status, headers } = response;
  const retryAfter = headers.get('retry-after');
  const graphRequestId = headers.get('request-id');
  return {
    kind: 'answered',
    status,
    ...(retryAfter === null ? {} : { retryAfter }),
    ...(graphRequestId !== null && /^[\w-]{1,64}$/.test(graphRequestId) ? { graphRequestId } : {}),
    ...(status === 202 ? {} : readGraphError(await readText(response))),
  };
};

/** The text of an error answer, as far as it is of a sane size and arrives. */
const readText = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ERROR_TEXT) break;
    }
  } catch {
    // The status line has come, and it decides; the text only adds to the reason.
  }
  return text;
};

const readGraphError = (text: string): { readonly upstreamCode?: string; readonly tooLarge?: true } => {
  try {
    const { error } = JSON.parse(text) as {
      readonly error?: { readonly code?: unknown; readonly message?: unknown };
    };
    const { code, message } = error ?? {};
    return {
      // Only names travel into records and logs: a message can quote an address.
      ...(typeof code === 'string' && /^[\w.]{1,80}$/.test(code) ? { upstreamCode: code } : {}),
      ...(typeof message === 'string' && /maximum request length/i.test(message) ? { tooLarge: true } : {}),
    };
  } catch {
    return {};
  }
};
