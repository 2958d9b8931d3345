import type http from 'node:http';
import { BodyTooLargeError, readBody } from '../http.ts';
import type { HostLog } from './host-log.ts';
import type { HostedFunction } from './host-parts.ts';
import { toHttpData, writeHttpResponse } from './http-conversion.ts';
import { authLevelOf, type HostKeys, isAllowed } from './http-keys.ts';
import type { Invoke } from './invoker.ts';
import { type CompiledRoute, compileRoute, matchRoute } from './route-template.ts';

// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MB unless changed.
const REQUEST_BODY_LIMIT_BYTES = 104_857_600;
const REASON = 'This function was programmatically called via the host APIs.';

export type ServeFunction = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  url: URL,
) => Promise<void>;

/** Answers with status codes only, as the host does: what failed stands in the log, not in the answer. */
export function createHttpTriggers(
  functions: readonly HostedFunction[],
  { routePrefix, customHeaders }: { routePrefix: string; customHeaders: Readonly<Record<string, string>> },
  keys: HostKeys,
  invoke: Invoke,
  log: HostLog,
): ServeFunction {
  const routes = functions
    .flatMap(({ fn, triggerName, info: { trigger, disabled } }) =>
      trigger.type === 'http'
        ? [{ fn, triggerName, trigger, disabled, route: compileRoute(`${routePrefix}/${trigger.route}`) }]
        : [],
    )
    .sort((one, other) => comparePrecedence(one.route, other.route));

  return async (request, response, url) => {
    // The method is part of the route: a known path with another method is not found (azure-functions-host issue 10098).
    const found = routes
      .filter(({ trigger }) => trigger.methods.includes(request.method ?? ''))
      .map((candidate) => ({ candidate, params: matchRoute(candidate.route, url.pathname) }))
      .find(({ params }) => params !== undefined);
    if (!found?.params) return answerEmpty(response, 404);

    const { fn, trigger, triggerName, disabled } = found.candidate;
    const level = authLevelOf(keyHeader(request), url.searchParams, keys);
    if (!isAllowed(level, trigger.authLevel)) return answerEmpty(response, 401);
    if (disabled && level !== 'admin') return answerEmpty(response, 404);

    let body: Buffer;
    try {
      body = await readBody(request, REQUEST_BODY_LIMIT_BYTES);
    } catch (error) {
      if (error instanceof BodyTooLargeError) return answerEmpty(response, 413);
      // The client broke off while sending.
      response.destroy();
      return;
    }

    const inputData = [{ name: triggerName, data: { http: toHttpData(request, url, found.params, body) } }];
    const result = await invoke(fn, { inputData, ...traceContextOf(request) }, REASON);
    if (!result.succeeded) return answerEmpty(response, 500);
    const headers = { ...customHeaders, 'x-ms-invocation-id': result.invocationId };
    try {
      writeHttpResponse(response, result.response, headers);
    } catch (error) {
      const message = `The answer of '${fn.metadata.name}' cannot be sent: ${error instanceof Error ? error.message : String(error)}`;
      log('error', `Function.${fn.metadata.name}`, message, result.invocationId);
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      answerEmpty(response, 500);
    }
  };
}

export function keyHeader(request: http.IncomingMessage): string | undefined {
  const value = request.headers['x-functions-key'];
  return Array.isArray(value) ? value[0] : value;
}

function answerEmpty(response: http.ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 });
  response.end();
}

const comparePrecedence = (one: CompiledRoute, other: CompiledRoute) =>
  one.precedence < other.precedence ? -1 : one.precedence > other.precedence ? 1 : 0;

function traceContextOf({ headers }: http.IncomingMessage) {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return {};
  return {
    traceContext: { traceParent: traceparent, traceState: typeof tracestate === 'string' ? tracestate : '' },
  };
}
