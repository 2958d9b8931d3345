import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import packageJson from '../../package.json' with { type: 'json' };
import { BODY_LIMIT_BYTES, decodeSegment } from '../../src/lib/inbox/api-input.ts';
import { toFramedMail } from '../../src/lib/inbox/framed-mail.ts';
import { type Answer, type Asked, apiRoutes, findMail, toJson } from '../../src/lib/inbox/inbox-api.ts';
import { InboxProblem } from '../../src/lib/inbox/inbox-problem.ts';
import { toMailContext } from '../../src/lib/inbox/mail-context.ts';
import { PAGE_SECURITY_POLICY, readPageFile } from '../../src/lib/inbox/page-files.ts';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import { answering, answerJson, BodyTooLargeError, listen, readBody } from '../http.ts';
import type { Listening } from '../listening.ts';
import { readContentFile } from './attachment-content.ts';
import { streamChanges } from './change-events.ts';
import type { MailStore } from './mail-store.ts';

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
  Pick<InboxOptions, 'store' | 'firstMail' | 'forwardedAs'> & {
    readonly origin: string;
    readonly incoming: IncomingMessage;
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

/** What is asked for, or what writes it itself, for as long as the browser listens. */
type Target = (asked: PageAsked) => Answer | ((response: ServerResponse) => void) | Promise<Answer>;

const findPage = makeRouter<Target>(
  [
    ...apiRoutes,
    ['GET', '/', () => toPageFile('index.html')],
    ['GET', '/events', ({ store }) => streamChanges(store)],
    ['GET', '/first-mail', ({ firstMail }) => toJson(firstMail)],
    ['GET', '/mail/:id/html', toMailFrame],
    [
      'GET',
      '/mail/:id/context',
      async (asked) => toJson(await toMailContext(await findMail(asked), asked.store)),
    ],
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
  const readText = async () => (await readBody(incoming, BODY_LIMIT_BYTES)).toString('utf8');
  return found.target({
    ...options,
    path: found.params,
    query,
    origin,
    incoming,
    readBody: readText,
    readElsewhere: readContentFile,
    about: { Version: packageJson.version },
  });
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
