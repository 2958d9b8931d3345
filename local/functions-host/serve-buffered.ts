import type http from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { PathParams } from '../../src/lib/inbox/routes.ts';
import { messageOf } from '../message-of.ts';
import type { Clock } from './clock.ts';
import type { RegisteredFunction } from './core-api.ts';
import type { HostLog } from './host-log.ts';
import { toHttpData } from './http-request-data.ts';
import { writeHttpResponse } from './http-response.ts';
import type { Invoke } from './invoker.ts';
import { BodyTooSlowError, declaredLength, REQUEST_BODY_LIMIT_BYTES, receiveBody } from './request-body.ts';

export const API_REASON = 'This function was programmatically called via the host APIs.';

export type AskedFunction = {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly url: URL;
  readonly params: PathParams;
  readonly fn: RegisteredFunction;
  readonly triggerName: string;
};

/** Hands the whole request to the app, and sends what it returns. A body without `Content-Length` is not read. */
export const serveBuffered = async (
  { response, fn, triggerName, ...asked }: AskedFunction,
  { invoke, log, clock }: { readonly invoke: Invoke; readonly log: HostLog; readonly clock: Clock },
): Promise<void> => {
  const body = await readDeclaredBody(asked.request, response, clock);
  if (body === undefined) return;

  const inputData = [{ name: triggerName, data: { http: toHttpData({ ...asked, body }) } }];
  const result = await invoke(fn, { inputData, ...traceContextOf(asked.request) }, API_REASON);
  if (!result.succeeded) return answerEmpty(response, 500);
  try {
    writeHttpResponse(response, result.response);
  } catch (error) {
    logUnsendable(log, fn, error, result.invocationId);
    answerEmpty(response, 500);
  }
};

/** The body as far as its length was told. Undefined when there is nothing more to answer. */
export const readDeclaredBody = async (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  clock: Clock,
): Promise<Buffer | undefined> => {
  const length = declaredLength(request) ?? 0;
  if (length > REQUEST_BODY_LIMIT_BYTES) {
    refuseBody(request, response);
    return undefined;
  }
  if (length === 0) return Buffer.alloc(0);
  try {
    return await buffer(receiveBody(request, clock));
  } catch (error) {
    if (error instanceof BodyTooSlowError) refuseBody(request, response);
    // The client broke off while sending.
    else response.destroy();
    return undefined;
  }
};

/** The host knows no 413 and no 408: it answers 500 and closes the connection. */
export const refuseBody = (request: http.IncomingMessage, response: http.ServerResponse): void => {
  request.resume();
  response.setHeader('Connection', 'close');
  answerEmpty(response, 500);
};

/** Ends the response with a status and no body. */
export const answerEmpty = (response: http.ServerResponse, status: number): void => {
  response.writeHead(status, { 'Content-Length': 0 });
  response.end();
};

/** Says in the log, and only there, why an answer of the app became a 500. */
export const logUnsendable = (log: HostLog, fn: RegisteredFunction, error: unknown, id: string): void => {
  const { name } = fn.metadata;
  const reason = messageOf(error);
  log('error', `Function.${name}`, `The response of '${name}' cannot be sent: ${reason}`, id);
};

/** The trace of the caller, where the request names one. */
export const traceContextOf = ({ headers }: http.IncomingMessage) => {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return {};
  return {
    traceContext: { traceParent: traceparent, traceState: typeof tracestate === 'string' ? tracestate : '' },
  };
};
