import type { IncomingMessage } from 'node:http';
import type { AgentOptions } from 'node:https';
import {
  Client,
  type GraphRequest as ClientRequest,
  type Context,
  type Middleware,
  ResponseType,
} from '@microsoft/microsoft-graph-client';
import { defined } from '../defined.ts';
import type { MayBegin } from '../ports.ts';
import type { TokenSource } from '../vault/entra-token.ts';
import { type MakeOneRequest, NeverConnected, notConnected, openHttps } from './one-request.ts';

export type GraphOptions = {
  readonly endpoint: string;
  /** Our own deadline for one request, well under the limit of an invocation. */
  readonly timeoutMs: number;
  /** The proxy of the settings. */
  readonly proxyEnv?: AgentOptions['proxyEnv'];
};

type Content = { readonly contentType: string; readonly body: Buffer };

export type GraphRequest = { readonly path: string } & (
  | { readonly method: 'GET' | 'DELETE' }
  | ({ readonly method: 'POST' | 'PATCH' } & Content)
  /** With `Content-Length: 0`. */
  | { readonly method: 'POST'; readonly body?: never }
) & {
    /** Ids in the request and its answer are immutable ones (graph: outlook-immutable-id). */
    readonly immutableIds?: true;
    /** How much of the answer is read, where that is more than an error needs. */
    readonly readUpTo?: number;
    /** Of a request that sends an email. */
    readonly mayBegin?: MayBegin;
  };

/** What was observed of one request: facts, no opinion. */
export type GraphAnswer =
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
  | { readonly kind: 'not-connected'; readonly proxyRefusal?: string }
  | { readonly kind: 'lost'; readonly why: 'timeout' | 'connection' };

/** Makes one request, once. Throws the AppError of the token source when there is no token. */
export type GraphCall = (request: GraphRequest) => Promise<GraphAnswer>;

/** Graph's error answers are small, and a look-up asks for one id; more than this is some proxy's page. */
const MAX_TEXT = 64 * 1024;

/** Why a request had no answer, by its abort signal: the client itself throws away the cause. */
const failures = new WeakMap<AbortSignal, unknown>();
/** How much of an answer is read, by the abort signal of its request, which is all that the client passes on. */
const textLimits = new WeakMap<AbortSignal, number>();
/** Whether the request may begin, in the same way. */
const beginnings = new WeakMap<AbortSignal, MayBegin>();

/**
 * Graph's client with nothing between it and the network. Its default chain retries 429, 503 and 504 by itself,
 * which sends a mail up to four times when the answer is lost, and follows redirects.
 */
const sendOnce = (request: MakeOneRequest): Middleware => ({
  execute: async (context: Context) => {
    const { method = '', headers, body, signal } = context.options ?? {};
    if (!signal) throw new Error('a request to Graph has a deadline');
    try {
      const answer = await request({
        url: context.request as string,
        method,
        headers: headers as Record<string, string>,
        ...(Buffer.isBuffer(body) ? { body } : {}),
        ...defined({ mayBegin: beginnings.get(signal) }),
        signal,
      });
      context.response = await toResponse(answer, textLimits.get(signal));
    } catch (failure) {
      failures.set(signal, failure);
      throw failure;
    }
  },
});

export const openGraph = (
  { endpoint, timeoutMs, proxyEnv }: GraphOptions,
  tokens: TokenSource,
): GraphCall => {
  const client = Client.initWithMiddleware({
    middleware: sendOnce(openHttps(proxyEnv)),
    baseUrl: `${endpoint}/`,
  });

  return async (request) => {
    const token = await tokens.readToken();
    const signal = AbortSignal.timeout(timeoutMs);
    textLimits.set(signal, request.readUpTo ?? MAX_TEXT);
    if (request.mayBegin !== undefined) beginnings.set(signal, request.mayBegin);
    try {
      const prepared = client
        .api(request.path)
        .responseType(ResponseType.RAW)
        .options({ signal })
        .header('Authorization', `Bearer ${token}`);
      if (request.immutableIds) prepared.header('Prefer', 'IdType="ImmutableId"');
      const response = await carryOut(prepared, request);
      if (response.status === 401) tokens.forget(token);
      return await toAnswer(response);
    } catch {
      const failure = failures.get(signal);
      if (failure instanceof NeverConnected) return notConnected(failure);
      return { kind: 'lost', why: signal.aborted ? 'timeout' : 'connection' };
    }
  };
};

const carryOut = (prepared: ClientRequest, request: GraphRequest): Promise<Response> => {
  switch (request.method) {
    case 'GET':
      return prepared.get() as Promise<Response>;
    case 'DELETE':
      return prepared.delete() as Promise<Response>;
    case 'PATCH':
      return prepared.header('Content-Type', request.contentType).patch(request.body) as Promise<Response>;
    case 'POST':
      return (
        request.body === undefined
          ? prepared.header('Content-Length', '0').post(undefined)
          : prepared.header('Content-Type', request.contentType).post(request.body)
      ) as Promise<Response>;
  }
};

/** Statuses with which the class of fetch takes no body. */
const BODILESS = new Set([204, 205, 304]);
/** The headers that are read. */
const HEADERS = ['retry-after', 'request-id'] as const;

const toResponse = async (answer: IncomingMessage, limit = MAX_TEXT): Promise<Response> => {
  const { statusCode: status = 0, headers } = answer;
  const reading = readText(answer, limit);
  // A 202 is empty and decided; waiting for the end of its body could only lose what is known. The body is read all
  // the same, or the connection could not serve the next mail.
  const text = status === 202 ? '' : await reading;
  return new Response(BODILESS.has(status) ? null : text, {
    status,
    headers: HEADERS.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    }),
  });
};

/** The text of an answer, as far as it is of a sane size and arrives. */
const readText = async (answer: IncomingMessage, limit: number): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of answer) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > limit) break;
    }
  } catch {
    // The status line has come, and it decides; the text only adds to the reason.
  }
  return text;
};

const toAnswer = async (response: Response): Promise<GraphAnswer> => {
  const { status, headers } = response;
  const retryAfter = headers.get('retry-after');
  const graphRequestId = headers.get('request-id');
  const text = await response.text();
  return {
    kind: 'answered',
    status,
    ...(retryAfter === null ? {} : { retryAfter }),
    ...(graphRequestId !== null && /^[\w-]{1,64}$/.test(graphRequestId) ? { graphRequestId } : {}),
    ...readGraphError(text),
    text,
  };
};

const readGraphError = (text: string): { readonly upstreamCode?: string; readonly tooLarge?: true } => {
  // As of every 202: an exception for each accepted email would cost more than the rest of reading it.
  if (text === '') return {};
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
