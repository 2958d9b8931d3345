import type http from 'node:http';
import { z } from 'zod';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
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

/** Answers without a key. */
const OPEN_TO_ALL = new Set(['/admin/host/ping', '/admin/warmup']);

type Asked = { readonly request: http.IncomingMessage; readonly url: URL; readonly name: string };

type Answer = { readonly status: number; readonly body?: unknown };

/** The part of the host's admin API that Core Tools users reach for. It needs the master key. */
export const makeAdminApi = ({ keys, functions, status, drain }: AdminDependencies) => {
  const all = [...functions.values()];
  const notFound = toProblem(
    404,
    `No such admin resource. Functions: ${all.map(({ info }) => info.name).join(', ')}.`,
  );
  const startDrain = () => {
    drain.start();
    return { status: 202 };
  };
  const orNotFound =
    (answer: (found: AdminFunction, asked: Asked) => Answer | Promise<Answer>) =>
    (asked: Asked): Answer | Promise<Answer> => {
      const found = functions.get(asked.name.toLowerCase());
      return found === undefined ? notFound : answer(found, asked);
    };
  const findResource = makeRouter<(asked: Asked) => Answer | Promise<Answer>>(
    [
      ['GET', '/admin/host/status', () => ({ status: 200, body: status() })],
      ['GET', '/admin/host/drain/status', () => ({ status: 200, body: drain.status() })],
      ['POST', '/admin/host/drain', startDrain],
      ['GET', '/admin/functions', ({ url }) => ({ status: 200, body: all.map((one) => describe(one, url)) })],
      [
        'GET',
        '/admin/functions/:name',
        orNotFound((one, { url }) => ({ status: 200, body: describe(one, url) })),
      ],
      ['POST', '/admin/functions/:name', orNotFound((one, { request }) => startFunction(one, request))],
    ],
    { sensitive: false, trailing: true },
  );

  const decide = async (request: http.IncomingMessage, url: URL): Promise<Answer> => {
    if (OPEN_TO_ALL.has(url.pathname.replace(/\/$/, '').toLowerCase())) return { status: 200 };
    const level = authLevelOf(request, url.searchParams, keys);
    if (level !== 'admin')
      return toProblem(
        level === 'anonymous' ? 401 : 403,
        'The admin API needs the master key, in the header x-functions-key.',
      );
    const found = findResource(request.method ?? '', url.pathname);
    return found.target?.({ request, url, name: found.params.name ?? '' }) ?? notFound;
  };

  return async (request: http.IncomingMessage, response: http.ServerResponse, url: URL): Promise<void> => {
    const { status, body } = await decide(request, url);
    if (body === undefined) answerEmpty(response, status);
    else answerJson(response, status, body);
  };
};

const startFunction = async (found: AdminFunction, request: http.IncomingMessage): Promise<Answer> => {
  if (!/^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(request.headers['content-type'] ?? ''))
    return toProblem(415, 'Expected the content type application/json.');
  const input = readInput(await readBody(request, LARGEST_INPUT_BYTES));
  if (input === undefined)
    return toProblem(400, 'Expected a JSON body {"input": "..."} whose input is a string.');
  found.start(input);
  return { status: 202 };
};

const describe = (one: AdminFunction, url: URL) => ({
  name: one.info.name,
  language: 'node',
  isDisabled: one.info.disabled,
  invoke_url_template: one.invokePath === undefined ? null : `${url.origin}${one.invokePath}`,
  config: { bindings: one.bindings },
});

const readInput = (body: Buffer): string | undefined => {
  try {
    const { data } = invocationBody.safeParse(JSON.parse(body.toString('utf8')));
    return data && (data.input ?? '');
  } catch {
    return undefined;
  }
};

const toProblem = (status: number, message: string): Answer => ({ status, body: { message } });
