import type { HttpHandler, HttpRequest } from '@azure/functions';
import type { Served } from '../lib/api-docs/api-document.ts';
import { type Answer, answeringProblems } from './problem.ts';

/** The same for everyone, and another one after a deployment: a client asks again after five minutes. */
const CACHED = 'public, max-age=300';

const isKnown = ({ headers }: HttpRequest, etag: string): boolean =>
  (headers.get('if-none-match') ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag);

const answer = (request: HttpRequest, { text, etag }: Served, headers: Answer['headers']): Answer => {
  const all = { ...headers, etag, 'cache-control': CACHED };
  return isKnown(request, etag) ? { status: 304, headers: all } : { headers: all, body: text };
};

/** GET /api/openapi.json: anonymous, as there is nothing of this deployment in it */
export const openApiHttp = (): HttpHandler => (request, context) =>
  answeringProblems(context, async () => {
    const { readApiDocument } = await import('../lib/api-docs/api-document.ts');
    return answer(request, await readApiDocument(), { 'content-type': 'application/json' });
  });

/** GET /api/docs: the same as a page for people */
export const apiDocsHttp = (): HttpHandler => (request, context) =>
  answeringProblems(context, async () => {
    const [{ readApiPage }, { PAGE_SECURITY_POLICY }] = await Promise.all([
      import('../lib/api-docs/api-document.ts'),
      import('../lib/api-docs/page-style.ts'),
    ]);
    return answer(request, await readApiPage(), {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_SECURITY_POLICY,
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
  });
