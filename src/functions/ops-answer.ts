import type { Cookie, HttpResponseInit } from '@azure/functions';
import { type Page, toDocument } from '../lib/ops/layout.ts';
import type { View } from '../lib/ops/view.ts';

/** Nothing on the page runs, nothing comes from elsewhere, and no other page may frame it or send its forms. */
const SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * `same-origin` and not `no-referrer`: a browser that is told the latter sends forms with `Origin: null` (Fetch, 3.1), and the origin of
 * a form is checked. To other sites neither says anything.
 */
const GUARDED = {
  'cache-control': 'no-store',
  'content-security-policy': SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** What a browser gets. */
export type OpsAnswer =
  | {
      readonly kind: 'page';
      readonly status?: number;
      readonly page: Page;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A form was taken: the browser asks for this next, so that to load it again sends nothing again. */
  | { readonly kind: 'go'; readonly to: string; readonly cookies?: readonly Cookie[] };

/** The answer as the host sends it. */
export const toResponse = (view: View, answer: OpsAnswer, cookies: readonly Cookie[]): HttpResponseInit => {
  if (answer.kind === 'go')
    return {
      status: 303,
      headers: { ...GUARDED, location: answer.to },
      cookies: [...cookies, ...(answer.cookies ?? [])],
    };
  return {
    status: answer.status ?? 200,
    headers: {
      ...GUARDED,
      'content-type': 'text/html; charset=utf-8',
      'content-language': view.language,
      vary: 'cookie, accept-language',
      ...answer.headers,
    },
    body: toDocument(view, answer.page),
    cookies: [...cookies],
  };
};

/** The one file of the page: the same for everyone. */
export const styleSheet = async (): Promise<HttpResponseInit> => {
  const { readPage } = await import('../lib/ops/page-folder.ts');
  return {
    headers: {
      ...GUARDED,
      'cache-control': 'public, max-age=300',
      'content-type': 'text/css; charset=utf-8',
    },
    body: await readPage('ops.css'),
  };
};
