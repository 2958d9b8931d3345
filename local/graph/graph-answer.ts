import type { ServerResponse } from 'node:http';
import { type GraphError, type RequestIds, toGraphErrorBody } from './graph-error.ts';

/** How a call ends, as data: one place writes it. */
export type GraphAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: { readonly contentType: string; readonly text: string };
      /** Graph's error code, for the list of requests. */
      readonly code?: string;
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'client left' };

const JSON_BODY =
  'application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8';

/** An answer with a body in OData's JSON. */
export const toJsonAnswer = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): GraphAnswer => ({
  kind: 'answer',
  status,
  headers,
  body: { contentType: JSON_BODY, text: JSON.stringify(body) },
});

/** An answer with Graph's error body. */
export const toErrorAnswer = (
  error: Pick<GraphError, 'status' | 'code' | 'message' | 'headers'> & { readonly html?: string | undefined },
  ids: RequestIds,
  at: Date,
): GraphAnswer => ({
  kind: 'answer',
  status: error.status,
  headers: error.headers,
  code: error.code,
  body:
    error.html === undefined
      ? { contentType: 'application/json', text: JSON.stringify(toGraphErrorBody(error, ids, at)) }
      : { contentType: 'text/html', text: error.html },
});

/** Sends an answer with the headers that Graph adds to each. */
export const writeAnswer = (
  response: ServerResponse,
  answer: Extract<GraphAnswer, { kind: 'answer' }>,
  ids: RequestIds,
  at: Date,
): void => {
  const { status, headers = {}, body } = answer;
  const bodyHeaders = body && {
    'Content-Type': body.contentType,
    'Content-Length': String(Buffer.byteLength(body.text)),
  };
  response.writeHead(status, {
    'Cache-Control': 'private',
    'request-id': ids.requestId,
    'client-request-id': ids.clientRequestId,
    Date: at.toUTCString(),
    ...bodyHeaders,
    ...headers,
  });
  response.end(body?.text);
};
