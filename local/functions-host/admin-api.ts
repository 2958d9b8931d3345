import type http from 'node:http';
import { z } from 'zod';
import { answerJson, readBody } from '../http.ts';
import type { FunctionInfo } from './function-info.ts';
import { authLevelOf, type HostKeys } from './http-keys.ts';
import { keyHeader } from './http-trigger.ts';

const LARGEST_INPUT_BYTES = 1_048_576;

const invocationBody = z.object({ input: z.string().default('') });

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
};

/** The part of the host's admin API that Core Tools users reach for. It needs the master key. */
export function createAdminApi({ keys, functions, status }: AdminDependencies) {
  return async (request: http.IncomingMessage, response: http.ServerResponse, url: URL): Promise<void> => {
    if (authLevelOf(keyHeader(request), url.searchParams, keys) !== 'admin') {
      return problem(response, 401, 'The admin API needs the master key, in the header x-functions-key.');
    }
    const route = `${request.method} ${url.pathname.replace(/\/$/, '')}`;
    if (route === 'GET /admin/host/status') return answerJson(response, 200, status());
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
    if (found.info.trigger.type === 'http') {
      return problem(
        response,
        400,
        `"${found.info.name}" is an HTTP function: call ${invokeUrl(found, url)} instead.`,
      );
    }

    const input = readInput(await readBody(request, LARGEST_INPUT_BYTES));
    if (input === undefined)
      return problem(response, 400, 'Expected a JSON body {"input": "..."} whose input is a string.');
    found.start(input);
    response.writeHead(202, { 'Content-Length': 0 });
    response.end();
  };
}

const describe = (one: AdminFunction, url: URL) => ({
  name: one.info.name,
  language: 'node',
  isDisabled: one.info.disabled,
  invoke_url_template: one.invokePath === undefined ? null : invokeUrl(one, url),
  config: { bindings: one.bindings },
});

const invokeUrl = ({ invokePath }: AdminFunction, { origin }: URL) => `${origin}${invokePath}`;

function readInput(body: Buffer): string | undefined {
  if (body.length === 0) return '';
  try {
    return invocationBody.safeParse(JSON.parse(body.toString('utf8'))).data?.input;
  } catch {
    return undefined;
  }
}

const problem = (response: http.ServerResponse, status: number, message: string) =>
  answerJson(response, status, { message });
