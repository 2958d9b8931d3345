import type http from 'node:http';
import type { FunctionInfo } from './function-info.ts';
import type { HostLog } from './host-log.ts';
import type { HostedFunction } from './host-parts.ts';
import { authLevelOf, type HostKeys, isAllowed } from './http-keys.ts';
import type { Invoke } from './invoker.ts';
import { compileRoute, matchRoute } from './route-template.ts';
import { answerEmpty, serveBuffered } from './serve-buffered.ts';
import { serveStreamed } from './serve-streamed.ts';
import type { WorkerProxy } from './worker-proxy.ts';

export type ServeFunction = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  url: URL,
) => Promise<void>;

export type HttpTriggerParts = {
  readonly keys: HostKeys;
  readonly routePrefix: string;
  readonly invoke: Invoke;
  readonly newId: () => string;
  readonly log: HostLog;
  /** There when the app turned streaming on. */
  readonly workerProxy: WorkerProxy | undefined;
};

/** Answers with status codes only, as the host does: what failed stands in the log, not in the answer. */
export const makeHttpTriggers = (
  functions: readonly HostedFunction[],
  parts: HttpTriggerParts,
): ServeFunction => {
  const { workerProxy } = parts;
  const routes = functions
    .flatMap(({ fn, triggerName, info }) =>
      info.trigger.type === 'http'
        ? [
            {
              fn,
              triggerName,
              info,
              trigger: info.trigger,
              route: compileRoute(`${parts.routePrefix}/${info.trigger.route}`),
            },
          ]
        : [],
    )
    .sort((one, other) => compareNames(one.info, other.info));

  return async (request, response, url) => {
    // The method is part of the route: a known path with another method is not found (azure-functions-host issue 10098).
    const found = routes
      .filter(({ trigger }) => trigger.methods.includes(request.method ?? ''))
      .map((candidate) => ({ candidate, params: matchRoute(candidate.route, url.pathname) }))
      .find(({ params }) => params !== undefined);
    if (!found?.params) return answerEmpty(response, 404);

    const { fn, trigger, triggerName, info } = found.candidate;
    const level = authLevelOf(request, url.searchParams, parts.keys);
    if (!isAllowed(level, trigger.authLevel)) return answerEmpty(response, 401);
    if (info.disabled && level !== 'admin') return answerEmpty(response, 404);

    const asked = { request, response, url, params: found.params, fn, triggerName };
    await (workerProxy === undefined
      ? serveBuffered(asked, parts)
      : serveStreamed(asked, { ...parts, workerProxy }));
  };
};

/** Routes are tried in the order of the functions' names, and the first that matches is taken: `{id}` may hide a literal. */
const compareNames = ({ name: one }: FunctionInfo, { name: other }: FunctionInfo): number => {
  const [left, right] = [one.toLowerCase(), other.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
};
