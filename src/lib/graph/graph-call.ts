import { Client, type Context, type Middleware, ResponseType } from '@microsoft/microsoft-graph-client';
import type { TokenSource } from '../vault/entra-token.ts';
import { neverConnected, watchConnections } from './connect-failures.ts';

export type GraphOptions = {
  readonly endpoint: string;
  /** Our own deadline for one request, well under the limit of an invocation. */
  readonly timeoutMs: number;
};

type GraphRequest =
  | { readonly method: 'GET'; readonly path: string }
  | { readonly method: 'POST'; readonly path: string; readonly body: string };

/** What was observed of one request: facts, no opinion. */
type GraphAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter?: string;
      readonly graphRequestId?: string;
      /** `error.code`, where the answer is one of Graph's errors. */
      readonly upstreamCode?: string;
      readonly tooLarge?: true;
      readonly text: string;
    }
  | { readonly kind: 'not-connected' }
  | { readonly kind: 'lost'; readonly why: 'timeout' | 'connection' };

/** Makes one request, once. Throws the AppError of the token source when there is no token. */
export type GraphCall = (request: GraphRequest) => Promise<GraphAnswer>;

/** Graph's error answers are small, and a look-up asks for one id; more than this is some proxy's page. */
const MAX_TEXT = 64 * 1024;

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

export const openGraph = ({ endpoint, timeoutMs }: GraphOptions, tokens: TokenSource): GraphCall => {
  watchConnections();
  const client = Client.initWithMiddleware({ middleware: sendOnce, baseUrl: `${endpoint}/` });

  return async (request) => {
    const token = await tokens.readToken();
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const prepared = client
        .api(request.path)
        .responseType(ResponseType.RAW)
        .options({ signal })
        .header('Authorization', `Bearer ${token}`);
      const response: Response = await (request.method === 'GET'
        ? prepared.get()
        : prepared.header('Content-Type', 'application/json').post(request.body));
      if (response.status === 401) tokens.forget(token);
      return await toAnswer(response);
    } catch {
      if (neverConnected(failures.get(signal))) return { kind: 'not-connected' };
      return { kind: 'lost', why: signal.aborted ? 'timeout' : 'connection' };
    }
  };
};

const toAnswer = async (response: Response): Promise<GraphAnswer> => {
  const { status, headers } = response;
  const retryAfter = headers.get('retry-after');
  const graphRequestId = headers.get('request-id');
  const reading = readText(response);
  // A 202 is empty and decided; waiting for the end of its body could only lose what is known. The body is read all
  // the same, as `cancel` would close the connection, and the next mail would pay for a new one.
  const text = status === 202 ? '' : await reading;
  return {
    kind: 'answered',
    status,
    ...(retryAfter === null ? {} : { retryAfter }),
    ...(graphRequestId !== null && /^[\w-]{1,64}$/.test(graphRequestId) ? { graphRequestId } : {}),
    ...readGraphError(text),
    text,
  };
};

/** The text of an answer, as far as it is of a sane size and arrives. */
const readText = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_TEXT) break;
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
