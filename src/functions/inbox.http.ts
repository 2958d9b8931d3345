import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { AnswerInboxNeeds } from '../lib/desk/answer-inbox.ts';
import type { Log } from '../lib/log.ts';
import { arrivalDeadline, chunksOf } from './body-chunks.ts';
import { type Answer, answeringProblems, logTo } from './problem.ts';

/** Emails are shown here: nothing is kept by a browser or a proxy, and no other page may frame, embed or open it. */
const GUARDED = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
const NOTHING_COMES_ALIVE = "default-src 'none'; frame-ancestors 'none'; sandbox";
/** What Mailpit answers to those who wait for it. */
const ALIVE: ReadonlySet<string> = new Set(['livez', 'readyz']);

/** GET /api/inbox and the files of the page: anonymous, as there is nothing of an email in them */
export const inboxPageHttp = (): HttpHandler => (request, context) =>
  guarded(
    answeringProblems(context, async () => {
      const { readPageFile, readRelayPage, RELAY_PAGE_SECURITY_POLICY } = await import(
        '../lib/inbox/page-files.ts'
      );
      const name = request.params.file || 'index.html';
      if (ALIVE.has(name)) return { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' };
      const file = name === 'index.html' ? await readRelayPage(folderOf(request)) : await readPageFile(name);
      if (file === undefined) return problem(404, 'There is nothing here. The inbox is at /api/inbox.');
      return {
        headers: {
          'content-type': file.contentType,
          'content-security-policy': RELAY_PAGE_SECURITY_POLICY,
        },
        body: file.content,
      };
    }),
  );

/** /api/inbox/api/... and GET /api/inbox/view/...: for those with the master key, which opens what every caller has sent */
export const inboxApiHttp =
  (needs: (log: Log) => AnswerInboxNeeds): HttpHandler =>
  (request, context) =>
    guarded(
      answeringProblems(context, async () => {
        const [{ answerInbox }, { InboxProblem }, { BODY_LIMIT_BYTES }] = await Promise.all([
          import('../lib/desk/answer-inbox.ts'),
          import('../lib/inbox/inbox-problem.ts'),
          import('../lib/inbox/api-input.ts'),
        ]);
        const { pathname, searchParams } = new URL(request.url);
        try {
          const { contentType, content, headers } = await answerInbox(needs(logTo(context)), {
            method: request.method,
            path: /\/inbox(\/(?:api|view)(?:\/.*)?)$/i.exec(pathname)?.[1] ?? pathname,
            query: searchParams,
            readBody: () => readText(request, BODY_LIMIT_BYTES),
          });
          return { headers: lowerCased({ 'Content-Type': contentType, ...headers }), body: content };
        } catch (error) {
          if (error instanceof InboxProblem) return problem(error.status, error.message);
          throw error;
        }
      }),
    );

const guarded = async (answer: Promise<HttpResponseInit>): Promise<HttpResponseInit> => {
  const { headers, ...rest } = await answer;
  return {
    ...rest,
    headers: {
      'content-security-policy': NOTHING_COMES_ALIVE,
      ...GUARDED,
      ...(headers as Record<string, string>),
    },
  };
};

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** As Mailpit words its errors. */
const problem = (status: number, message: string): Answer => ({
  status,
  jsonBody: { Error: message },
});

/** The path below which the files of the page are, with or without a slash at its end. */
const folderOf = ({ url }: HttpRequest): string =>
  `${new URL(url).pathname.replace(/\/(?:index\.html)?$/, '')}/`;

const readText = async ({ body }: HttpRequest, most: number): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(body, arrivalDeadline())) {
    bytes += chunk.byteLength;
    if (bytes > most) {
      const { InboxProblem } = await import('../lib/inbox/inbox-problem.ts');
      throw new InboxProblem(400, `This call accepts at most ${most} bytes; the request has more.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
