import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { answering, answerJson, BodyTooLargeError, listen } from '../http.ts';
import type { Listening } from '../listening.ts';
import { makeRouter } from '../routes.ts';
import { decodeSegment } from './api-input.ts';
import { streamChanges } from './change-events.ts';
import { toFramedMail } from './framed-mail.ts';
import { type Answer, type Asked, apiRoutes, findMail, type Target, toJson } from './inbox-api.ts';
import { InboxProblem } from './inbox-problem.ts';
import { toMailContext } from './mail-context.ts';
import type { MailStore } from './mail-store.ts';
import { PAGE_SECURITY_POLICY, readPageFile } from './page-files.ts';

/** What the page tells someone who has not sent anything yet. */
type FirstMail = { readonly endpoint: string; readonly functionKey: string; readonly curl: string };

export type InboxOptions = {
  readonly store: MailStore;
  readonly port: number;
  readonly firstMail: FirstMail;
  /** The origin under which a tunnel shows the inbox, where there is one. */
  readonly forwardedAs?: string | undefined;
};

type PageAsked = Asked &
  Pick<InboxOptions, 'firstMail' | 'forwardedAs'> & {
    readonly origin: string;
  };

const toMailFrame = async (asked: PageAsked): Promise<Answer> => {
  const { query, forwardedAs, incoming } = asked;
  const { html, contentSecurityPolicy } = toFramedMail(await findMail(asked), {
    origin: isThrough(forwardedAs, incoming) ? forwardedAs : asked.origin,
    remoteImages: query.get('remote-images') === 'load',
  });
  return {
    contentType: 'text/html; charset=utf-8',
    content: html,
    headers: { 'Content-Security-Policy': contentSecurityPolicy },
  };
};

const toPageFile = async (name: string): Promise<Answer> => {
  const file = await readPageFile(name);
  if (!file) throw notHere([], 'GET');
  return { ...file, headers: { 'Content-Security-Policy': PAGE_SECURITY_POLICY } };
};

const findPage = makeRouter<Target<PageAsked>>(
  [
    ...apiRoutes,
    ['GET', '/', () => toPageFile('index.html')],
    ['GET', '/events', ({ store }) => streamChanges(store)],
    ['GET', '/first-mail', ({ firstMail }) => toJson(firstMail)],
    ['GET', '/mail/:id/html', toMailFrame],
    ['GET', '/mail/:id/context', async (asked) => toJson(toMailContext(await findMail(asked), asked.store))],
    ['GET', '/:file', ({ path }) => toPageFile(path.file ?? '')],
  ],
  { decode: decodeSegment },
);

/** The inbox: the page for people, Mailpit's API for their tests. */
export const startInbox = async (options: InboxOptions): Promise<Listening> => {
  const { port, forwardedAs } = options;
  const server = createServer(
    answering(async (request, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'same-origin');
      try {
        const answer = await findAnswer(options, request);
        if (typeof answer === 'function') answer(response);
        else send(response, answer);
      } catch (error) {
        answerProblem(response, error);
      }
    }),
  );
  return listen(server, {
    name: 'The inbox',
    port,
    portSetting: 'INBOX_PORT',
    mayBeLookedAt: true,
    anyPort: true,
    forwardedAs,
  });
};

const findAnswer = (options: InboxOptions, incoming: IncomingMessage) => {
  const url = URL.parse(`http://${incoming.headers.host}${incoming.url}`);
  if (!url) throw new InboxProblem(400, 'The path of the request is not valid.');
  const found = findPage(incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? ''), url.pathname);
  if (found.target === undefined) throw notHere(found.allowed, incoming.method);
  const { origin, searchParams: query } = url;
  return found.target({ ...options, path: found.params, query, origin, incoming });
};

const notHere = (allowed: readonly string[], method: string | undefined): InboxProblem =>
  allowed.length > 0
    ? new InboxProblem(405, `This path allows ${allowed.join(', ')}, received ${method}.`)
    : new InboxProblem(404, 'There is nothing here. The inbox is at /, its API under /api/v1/.');

/** Whether the browser sees the inbox under the name of the tunnel: the images of a mail have to be asked for there. */
const isThrough = (forwardedAs: string | undefined, { headers }: IncomingMessage): forwardedAs is string =>
  [headers.host, headers['x-forwarded-host']].some((host) => `https://${host}` === forwardedAs);

const send = (response: ServerResponse, { contentType, content, headers }: Answer): void => {
  const bytes = Buffer.from(content);
  response.writeHead(200, {
    'Content-Type': contentType,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(bytes);
};

const answerProblem = (response: ServerResponse, error: unknown): void => {
  if (error instanceof InboxProblem) answerJson(response, error.status, { Error: error.message });
  else if (error instanceof BodyTooLargeError) answerJson(response, 400, { Error: error.message });
  else throw error;
};
