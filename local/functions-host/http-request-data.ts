import type http from 'node:http';
import type { PathParams } from '../../src/lib/inbox/routes.ts';
import { jsonProperties, toBindingData } from './binding-data.ts';
import type { HttpData, Nullable, TypedData } from './core-types.ts';

type Asked = {
  readonly request: http.IncomingMessage;
  readonly url: URL;
  readonly params: PathParams;
  /** What was read of the body: nothing where it came without `Content-Length`, as in the real host. */
  readonly body: Buffer;
};

/** A request as the host hands it to a worker: values of one name joined by a comma. */
export const toHttpData = ({ request, url, params, body }: Asked): HttpData => ({
  method: request.method ?? 'GET',
  url: url.href,
  nullableHeaders: toNullable(joinHeaders(request)),
  nullableQuery: toNullable(joinValues(url.searchParams)),
  nullableParams: toNullable(Object.entries(params)),
  ...(body.length > 0 ? { body: { bytes: body } } : {}),
});

/**
 * What comes beside a streamed request. The library makes the headers of it, and `request.params` of every text in it: of
 * the body's properties and the query as well, over which the route goes last. A property called `headers`, in any case,
 * keeps the real ones out (GetRequestBindingData in HttpTriggerAttributeBindingProvider.cs of azure-webjobs-sdk-extensions).
 */
export const toRequestMetadata = ({ request, url, params, body }: Asked): Record<string, TypedData> => {
  const query = joinValues(url.searchParams);
  const text = (pairs: Iterable<[string, string]>) =>
    [...pairs].map(([name, value]): [string, TypedData] => [name, { string: value }]);
  const given = [
    ...jsonProperties(body.toString('utf8')),
    ...text(query.filter(([name]) => name.toLowerCase() !== 'code')),
    ...text(Object.entries(params)),
  ];
  const isTaken = (name: string) => given.some(([one]) => one.toLowerCase() === name);
  if (!isTaken('query')) given.push(['Query', { json: JSON.stringify(Object.fromEntries(query)) }]);
  if (!isTaken('headers'))
    given.push(['Headers', { json: JSON.stringify(Object.fromEntries(joinHeaders(request))) }]);
  return toBindingData(given);
};

/** The pairs as received: Node joins what was sent twice, and the host looks at the first. */
export function* headerPairs({ rawHeaders }: http.IncomingMessage): Generator<[string, string]> {
  for (let index = 0; index < rawHeaders.length; index += 2)
    yield [rawHeaders[index]!.toLowerCase(), rawHeaders[index + 1]!];
}

const joinHeaders = (request: http.IncomingMessage) => joinValues(headerPairs(request));

const joinValues = (pairs: Iterable<[string, string]>): [string, string][] => {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return [...values];
};

const toNullable = (pairs: readonly [string, string][]): Record<string, Nullable<string>> =>
  Object.fromEntries(pairs.map(([name, value]) => [name, { value }]));
