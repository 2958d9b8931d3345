import type http from 'node:http';
import type { HttpCookie, HttpData, InvocationResponse, Nullable, TypedData } from './core-types.ts';

/** A request as the host hands it to a worker: values of one name joined by a comma, empty headers left out. */
export function toHttpData(
  request: http.IncomingMessage,
  url: URL,
  params: ReadonlyMap<string, string | undefined>,
  body: Buffer,
): HttpData {
  return {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: nullable(joined(headerPairs(request.rawHeaders)).filter(([, value]) => value !== '')),
    nullableQuery: nullable(joined(url.searchParams)),
    nullableParams: nullable([...params].map(([name, value]) => [name, value ?? ''])),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
}

/** Writes what the app returned. Nothing returned is 204, as in the host since version 2. */
export function writeHttpResponse(
  response: http.ServerResponse,
  { returnValue }: InvocationResponse,
  customHeaders: Readonly<Record<string, string>>,
): void {
  const data = returnValue?.http;
  const body = toBytes(data?.body);
  for (const [name, value] of Object.entries(customHeaders)) response.setHeader(name, value);
  for (const [name, value] of Object.entries(data?.headers ?? {})) {
    if (!FRAMING_HEADERS.has(name.toLowerCase())) response.setHeader(name, value);
  }
  const cookies = (data?.cookies ?? []).map(formatCookie);
  if (cookies.length > 0) response.setHeader('Set-Cookie', cookies);
  response.statusCode = data ? Number(data.statusCode ?? 200) : 204;
  if (response.statusCode !== 204 && response.statusCode !== 304)
    response.setHeader('Content-Length', body.length);
  // Node leaves the body of an answer to HEAD out by itself.
  response.end(body);
}

// The server frames the answer itself; a length from the app could contradict the body.
const FRAMING_HEADERS = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive']);

function toBytes(data: TypedData | null | undefined): Buffer {
  if (data?.bytes) return Buffer.from(data.bytes);
  return Buffer.from(data?.string ?? data?.json ?? '');
}

function* headerPairs(rawHeaders: readonly string[]): Generator<[string, string]> {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    yield [rawHeaders[index]!.toLowerCase(), rawHeaders[index + 1]!];
  }
}

function joined(pairs: Iterable<[string, string]>): [string, string][] {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return [...values];
}

const nullable = (pairs: readonly [string, string][]): Record<string, Nullable<string>> =>
  Object.fromEntries(pairs.map(([name, value]) => [name, { value }]));

const SAME_SITE = { lax: 'Lax', strict: 'Strict', explicitNone: 'None', none: undefined } as const;

function formatCookie(cookie: HttpCookie): string {
  const expires = cookie.expires?.value?.seconds;
  const sameSite = SAME_SITE[cookie.sameSite ?? 'none'];
  return [
    `${encodeURIComponent(cookie.name)}=${encodeURIComponent(cookie.value)}`,
    expires !== undefined && `Expires=${new Date(expires * 1000).toUTCString()}`,
    cookie.maxAge?.value !== undefined && `Max-Age=${Math.trunc(cookie.maxAge.value)}`,
    cookie.domain?.value && `Domain=${headerSafe(cookie.domain.value)}`,
    cookie.path?.value && `Path=${headerSafe(cookie.path.value)}`,
    cookie.secure?.value && 'Secure',
    sameSite && `SameSite=${sameSite}`,
    cookie.httpOnly?.value && 'HttpOnly',
  ]
    .filter((part) => typeof part === 'string')
    .join('; ');
}

const headerSafe = (text: string) => text.replaceAll(/[;\r\n]/g, '');
