import type http from 'node:http';
import { z } from 'zod';
import { answerJson, readBody } from '../http.ts';
import type { FunctionInfo } from './function-info.ts';
import { authLevelOf, type HostKeys } from './http-keys.ts';
import { answerEmpty } from './serve-buffered.ts';

const LARGEST_INPUT_BYTES = 1_048_576;

const invocationBody = z.object({ input: z.string().nullish() });

export type AdminFunction = {
  readonly info: FunctionInfo;
  readonly bindings: readonly unknown[];
  /** Of an HTTP function. */
  readonly invokePath: string | undefined;
  /** Starts the function with the input of the request; does not wait for its end. */
  readonly start: (input: string) => void;
};

export type AdminDependencies = {
  readonly keys: HostKeys;
  readonly functions: ReadonlyMap<string, AdminFunction>;
  readonly status: () => object;
  readonly drain: Drain;
};

/** Stops the listeners while HTTP goes on, as Azure does before it takes an instance away. */
export type Drain = { readonly start: () => void; readonly status: () => object };

const OPEN_TO_ALL = new Set(['/admin/host/ping', '/admin/warmup']);

/** The part of the host's admin API that Core Tools users reach for. It needs the master key. */
export const makeAdminApi =
  ({ keys, functions, status, drain }: AdminDependencies) =>
  async (request: http.IncomingMessage, response: http.ServerResponse, url: URL): Promise<void> => {
    const path = url.pathname.replace(/\/$/, '').toLowerCase();
    if (OPEN_TO_ALL.has(path)) return answerEmpty(response, 200);
    const level = authLevelOf(request, url.searchParams, keys);
    if (level !== 'admin') {
      const refused = level === 'anonymous' ? 401 : 403;
      return problem(response, refused, 'The admin API needs the master key, in the header x-functions-key.');
    }
    const route = `${request.method} ${path}`;
    if (route === 'GET /admin/host/status') return answerJson(response, 200, status());
    if (route === 'GET /admin/host/drain/status') return answerJson(response, 200, drain.status());
    if (route === 'POST /admin/host/drain') {
      drain.start();
      return answerEmpty(response, 202);
    }
    if (route === 'GET /admin/functions')
      return answerJson(
        response,
        200,
        [...functions.values()].map((one) => describe(one, url)),
      );

    const name = /^(?:GET|POST) \/admin\/functions\/([^/]+)$/.exec(route)?.[1];
    const found = name === undefined ? undefined : functions.get(name.toLowerCase());
    if (!found)
      return problem(
        response,
        404,
        `No such admin resource. Functions: ${[...functions.values()].map(({ info }) => info.name).join(', ')}.`,
      );
    if (request.method === 'GET') return answerJson(response, 200, describe(found, url));
    if (!/^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(request.headers['content-type'] ?? ''))
      return problem(response, 415, 'Expected the content type application/json.');
    const input = readInput(await readBody(request, LARGEST_INPUT_BYTES));
    if (input === undefined)
      return problem(response, 400, 'Expected a JSON body {"input": "..."} whose input is a string.');
    found.start(input);
    answerEmpty(response, 202);
  };

const describe = (one: AdminFunction, url: URL) => ({
  name: one.info.name,
  language: 'node',
  isDisabled: one.info.disabled,
  invoke_url_template: one.invokePath === undefined ? null : invokeUrl(one, url),
  config: { bindings: one.bindings },
});

const invokeUrl = ({ invokePath }: AdminFunction, { origin }: URL) => `${origin}${invokePath}`;

const readInput = (body: Buffer): string | undefined => {
  try {
    const { data } = invocationBody.safeParse(JSON.parse(body.toString('utf8')));
    return data && (data.input ?? '');
  } catch {
    return undefined;
  }
};

const problem = (response: http.ServerResponse, status: number, message: string) =>
  answerJson(response, status, { message });
