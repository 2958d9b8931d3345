import http from 'node:http';
import type { HttpCookie, InvocationResponse, TypedData } from './core-types.ts';

/** Writes what the app returned, in chunks as the host does. Nothing returned is 204, as in the host since version 2. */
export const writeHttpResponse = (
  response: http.ServerResponse,
  { returnValue }: InvocationResponse,
): void => {
  const data = returnValue?.http;
  const body = toBytes(data?.body);
  const headers = Object.entries(data?.headers ?? {}).filter(([name]) => !isHopByHop(name));
  for (const [name, value] of headers) {
    assertSendable(name, value);
    if (name.toLowerCase() === 'content-length' && Number(value) !== body.length)
      throw new Error(`its Content-Length is ${value}, and its body has ${body.length} bytes`);
  }
  const cookies = (data?.cookies ?? []).map(formatCookie);
  for (const [name, value] of headers) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('Set-Cookie', cookies);
  response.statusCode = data ? Number(data.statusCode ?? 200) : 204;
  response.flushHeaders();
  // Node leaves the body of an answer to HEAD out by itself.
  response.end(body);
};

/** The server frames the answer itself. */
export const isHopByHop = (name: string): boolean => HOP_BY_HOP.has(name.toLowerCase());

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Kestrel sends ASCII only. */
export const assertSendable = (name: string, value: string): void => {
  http.validateHeaderValue(name, value);
  if (!/^[\t\x20-\x7e]*$/.test(value)) throw new Error(`its header ${name} is not ASCII`);
};

const toBytes = (data: TypedData | null | undefined): Buffer => {
  if (data?.bytes) return Buffer.from(data.bytes);
  return Buffer.from(data?.string ?? data?.json ?? '');
};

const SAME_SITE = { lax: 'Lax', strict: 'Strict', explicitNone: 'None', none: undefined } as const;
// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const formatCookie = (cookie: HttpCookie): string => {
  if (!TOKEN.test(cookie.name)) throw new Error('the name of a cookie is not a token');
  const expires = cookie.expires?.value?.seconds;
  const sameSite = SAME_SITE[cookie.sameSite ?? 'none'];
  const text = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
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
  assertSendable('Set-Cookie', text);
  return text;
};

const headerSafe = (text: string) => text.replaceAll(/[;\r\n]/g, '');
