import type { HttpRequest } from '@azure/functions';
import { AppError } from '../lib/errors.ts';
import { LANGUAGES, type Language } from '../lib/mail/language.ts';
import { arrivalDeadline, chunksOf } from './body-chunks.ts';

/** The path of the overview, without a slash at its end, whatever is before it. */
export const baseOf = ({ url }: HttpRequest): string =>
  /^(.*?\/ops)(?:\/|$)/i.exec(new URL(url).pathname)?.[1] ?? '/api/ops';

/** A cookie of the request; undefined where there is none of this name. */
export const cookieOf = ({ headers }: HttpRequest, name: string): string | undefined =>
  (headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

export const LANGUAGE_COOKIE = 'relay-language';

const asLanguage = (text: string | null | undefined): Language | undefined =>
  LANGUAGES.find((one) => one.toLowerCase() === text?.toLowerCase());

/** The language that was chosen here, else what the browser prefers. */
export const languageOf = (request: HttpRequest): Language =>
  asLanguage(request.query.get('lang')) ??
  asLanguage(cookieOf(request, LANGUAGE_COOKIE)) ??
  preferred(request.headers.get('accept-language') ?? '');

/** Only the order counts, which browsers send by weight. All of Chinese is nearer to the one there is than English. */
const preferred = (header: string): Language => {
  const first = header.split(',').map((part) => part.trim().toLowerCase());
  const known = first.find((part) => /^(?:en|zh)\b/.test(part));
  return known?.startsWith('zh') ? 'zh-Hant' : 'en';
};

/** The address of the client, as the front end of Azure adds it at the end; before that anyone can write anything. */
export const clientOf = ({ headers }: HttpRequest): string =>
  (headers.get('x-forwarded-for') ?? '').split(',').at(-1)?.trim().replace(/:\d+$/, '') || 'unknown';

/** Whether the browser came without a secure connection; then only to this machine. */
export const isPlainLoopback = ({ url, headers }: HttpRequest): boolean => {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'http:' &&
    headers.get('x-forwarded-proto') !== 'https' &&
    ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  );
};

/**
 * Refuses a form that another site has sent. Every browser since 2023 says which site a request comes from, and the others send an
 * origin. Throws FORM_FOREIGN.
 */
export const requireOwnOrigin = ({ headers, url }: HttpRequest): void => {
  const site = headers.get('sec-fetch-site');
  if (site !== null) {
    if (site !== 'same-origin') throw new AppError('FORM_FOREIGN');
    return;
  }
  const origin = headers.get('origin');
  const own = [headers.get('host'), headers.get('x-forwarded-host'), new URL(url).host];
  if (origin !== null && !own.includes(hostOf(origin) ?? 'none')) throw new AppError('FORM_FOREIGN');
};

const hostOf = (origin: string): string | undefined => {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
};

/** Room for fifty emails and a note in which every character is escaped. */
const MAX_FORM_BYTES = 64_000;

/** Reads a form. Throws FORM_INVALID, REQUEST_TOO_LARGE, REQUEST_TOO_SLOW. */
export const readForm = async ({ headers, body }: HttpRequest): Promise<URLSearchParams> => {
  if (!/^application\/x-www-form-urlencoded\b/i.test(headers.get('content-type') ?? ''))
    throw new AppError('FORM_INVALID', {
      detail: 'Expected a form (application/x-www-form-urlencoded), received another Content-Type.',
    });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body, arrivalDeadline())) {
    bytes += chunk.byteLength;
    if (bytes > MAX_FORM_BYTES)
      throw new AppError('REQUEST_TOO_LARGE', {
        detail: `This form accepts at most ${MAX_FORM_BYTES} bytes; the request has more.`,
      });
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
};

/** A path of ours to go on to; anything else leads to the overview. */
export const nextOf = (base: string, given: string | null): string =>
  given !== null && given.startsWith('/') && isBelow(base, given) ? given : base;

/** As a browser reads it: without dots that lead up, and without signs that a server could take for a slash. */
const isBelow = (base: string, given: string): boolean => {
  if (!/^[!-~]+$/.test(given) || /\\|%2f|%5c/i.test(given.split('?')[0] ?? '')) return false;
  const { origin, pathname } = new URL(given, 'https://relay.invalid');
  return origin === 'https://relay.invalid' && (pathname === base || pathname.startsWith(`${base}/`));
};
