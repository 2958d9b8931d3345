import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import packageJson from '../../package.json' with { type: 'json' };
import { BODY_LIMIT_BYTES, decodeSegment } from '../../src/lib/inbox/api-input.ts';
import { toFramedMail } from '../../src/lib/inbox/framed-mail.ts';
import { type Answer, type Asked, apiRoutes, findMail, toJson } from '../../src/lib/inbox/inbox-api.ts';
import { InboxProblem } from '../../src/lib/inbox/inbox-problem.ts';
import { toMailContext } from '../../src/lib/inbox/mail-context.ts';
import { frameRoutes } from '../../src/lib/inbox/mail-frame.ts';
import { PAGE_SECURITY_POLICY, readPageFile } from '../../src/lib/inbox/page-files.ts';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import { answering, answerJson, BodyTooLargeError, listen, readBody } from '../http.ts';
import type { Listening } from '../listening.ts';
import { readContentFile } from './attachment-content.ts';
import { streamChanges } from './change-events.ts';
import type { MailStore } from './mail-store.ts';
import { sendAsMailpit } from './mailpit-send.ts';
import type { LocalRelay } from './relay-client.ts';
import { deskRoutes } from './relay-desk.ts';

/** What the page tells someone who has not sent anything yet. */
type FirstMail = { readonly endpoint: string; readonly functionKey: string; readonly curl: string };

export type InboxOptions = {
  readonly store: MailStore;
  readonly port: number;
  readonly firstMail: FirstMail;
  /** What sends, and knows of emails that wait; without it, the inbox shows what has been sent. */
  readonly relay?: LocalRelay | undefined;
  /** Further names by which it is called, in lower case. */
  readonly hostNames?: readonly string[];
  /** The origin under which a tunnel shows the inbox, where there is one. */
  readonly forwardedAs?: string | undefined;
};

type PageAsked = Asked &
  Pick<InboxOptions, 'store' | 'firstMail' | 'forwardedAs' | 'relay'> & {
    readonly origin: string;
    readonly incoming: IncomingMessage;
    readonly readUpTo: (bytes: number) => Promise<string>;
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
    ['POST', '/api/v1/send', sendAsMailpit],
    ...deskRoutes,
    ['GET', '/', () => toPageFile('index.html')],
    ['GET', '/events', ({ store }) => streamChanges(store)],
    ['GET', '/first-mail', ({ firstMail }) => toJson(firstMail)],
    ...frameRoutes('/mail/:id/html', (mail, { forwardedAs, incoming, origin }: PageAsked, how) =>
      toFramedMail(mail, { origin: isThrough(forwardedAs, incoming) ? forwardedAs : origin, ...how }),
    ),
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
  const { port, hostNames = [], forwardedAs } = options;
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
    hostNames,
    forwardedAs,
  });
};

const findAnswer = (options: InboxOptions, incoming: IncomingMessage) => {
  const url = URL.parse(`http://${incoming.headers.host}${incoming.url}`);
  if (!url) throw new InboxProblem(400, 'The path of the request is not valid.');
  const found = findPage(incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? ''), url.pathname);
  if (found.target === undefined) throw notHere(found.allowed, incoming.method);
  const { origin, searchParams: query } = url;
  const readUpTo = async (bytes: number) => (await readBody(incoming, bytes)).toString('utf8');
  return found.target({
    ...options,
    path: found.params,
    query,
    origin,
    incoming,
    readBody: () => readUpTo(BODY_LIMIT_BYTES),
    readUpTo,
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
