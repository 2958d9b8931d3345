import type http from 'node:http';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import type { Clock } from './clock.ts';
import type { HostLog } from './host-log.ts';
import type { HostedFunction } from './host-parts.ts';
import { authLevelOf, type HostKeys, isAllowed } from './http-keys.ts';
import type { Invoke } from './invoker.ts';
import { decodePath, readRouteTemplate } from './route-template.ts';
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
  readonly clock: Clock;
  /** There when the app turned streaming on. */
  readonly workerProxy: WorkerProxy | undefined;
};

/** Answers with status codes only, as the host does: what failed stands in the log, not in the answer. */
export const makeHttpTriggers = (
  functions: readonly HostedFunction[],
  parts: HttpTriggerParts,
): ServeFunction => {
  const { workerProxy } = parts;
  // Routes are tried in the order of the functions' names, and the first that matches is taken: `{id}` can hide a word.
  const findFunction = makeRouter(
    functions
      .toSorted((one, other) => compareNames(one.info.name, other.info.name))
      .flatMap(({ fn, triggerName, info: { name, disabled, trigger } }) => {
        if (trigger.type !== 'http') return [];
        const path = readRouteTemplate(`${parts.routePrefix}/${trigger.route}`, `Function "${name}"`);
        const hosted = { fn, triggerName, disabled, needed: trigger.authLevel };
        return trigger.methods.map((method) => [method, path, hosted] as const);
      }),
    { sensitive: false, trailing: true, decode: false },
  );

  return async (request, response, url) => {
    // The method is part of the route: a known path with another method is not found (azure-functions-host issue 10098).
    const found = findFunction(request.method ?? '', decodePath(url.pathname));
    if (found.target === undefined) return answerEmpty(response, 404);

    const { params, target } = found;
    const level = authLevelOf(request, url.searchParams, parts.keys);
    if (!isAllowed(level, target.needed)) return answerEmpty(response, 401);
    if (target.disabled && level !== 'admin') return answerEmpty(response, 404);

    const { fn, triggerName } = target;
    const asked = { request, response, url, params, fn, triggerName };
    await (workerProxy === undefined
      ? serveBuffered(asked, parts)
      : serveStreamed(asked, { ...parts, workerProxy }));
  };
};

const compareNames = (one: string, other: string): number => {
  const [left, right] = [one.toLowerCase(), other.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
};
