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
import { type PageChange, streamChanges } from './change-events.ts';
import type { MailStore } from './mail-store.ts';
import { sendAsMailpit } from './mailpit-send.ts';
import type { LocalRelay } from './relay-client.ts';
import { deskRoutes } from './relay-desk.ts';
import { followRelay, type RelayMails } from './relay-mails.ts';

/** What the page tells someone who has not sent anything yet. */
type FirstMail = {
  readonly endpoint: string;
  readonly functionKey: string;
  readonly curl: string;
  /** What is on that changes where emails go, in sentences. */
  readonly on?: readonly string[];
};

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
    readonly relayMails: RelayMails | undefined;
    readonly onChange: (listener: (change: PageChange) => void) => () => void;
    /** The body, of another size. */
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
    ['GET', '/events', ({ onChange }) => streamChanges(onChange)],
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

/** The inbox, and what it hears of the relay from elsewhere. */
export type Inbox = Listening & { readonly noticed: (mailId: string) => void };

/** The inbox: the page for people, Mailpit's API for their tests. */
export const startInbox = async (options: InboxOptions): Promise<Inbox> => {
  const { store, relay, port, hostNames = [], forwardedAs } = options;
  const listeners = new Set<(change: PageChange) => void>();
  const onChange = (listener: (change: PageChange) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const tell = (change: PageChange) => {
    for (const listener of listeners) listener(change);
  };
  const relayMails =
    relay &&
    followRelay({
      relay,
      onStatus: ({ id, caller, tags }) => store.describe(id, { caller: String(caller), tags }),
      onChange: () => tell({ kind: 'relay' }),
    });
  const unsubscribe = store.onChange((change) => {
    tell(change);
    if (change.kind === 'captured') noticeCaptured(store, change.ids, relayMails);
  });
  const server = createServer(
    answering(async (request, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'same-origin');
      try {
        const answer = await findAnswer({ ...options, relayMails, onChange }, request);
        if (typeof answer === 'function') answer(response);
        else send(response, answer);
      } catch (error) {
        answerProblem(response, error);
      }
    }),
  );
  const listening = await listen(server, {
    name: 'The inbox',
    port,
    portSetting: 'INBOX_PORT',
    mayBeLookedAt: true,
    anyPort: true,
    hostNames,
    forwardedAs,
  });
  return {
    ...listening,
    noticed: (mailId) => relayMails?.noticed(mailId),
    close: async () => {
      unsubscribe();
      relayMails?.close();
      await listening.close();
    },
  };
};

const noticeCaptured = (
  store: MailStore,
  ids: readonly string[],
  relayMails: RelayMails | undefined,
): void => {
  const captured = new Set(ids);
  for (const { summary } of store.list({ limit: LATEST }).mails)
    if (captured.has(summary.ID) && summary.RelayID !== undefined) relayMails?.noticed(summary.RelayID);
};

/** Room for the emails that were captured in the same moment. */
const LATEST = 20;

const findAnswer = async (
  options: InboxOptions & Pick<PageAsked, 'relayMails' | 'onChange'>,
  incoming: IncomingMessage,
) => {
  const url = URL.parse(`http://${incoming.headers.host}${incoming.url}`);
  if (!url) throw new InboxProblem(400, 'The path of the request is not valid.');
  const found = findPage(incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? ''), url.pathname);
  if (found.target === undefined) throw notHere(found.allowed, incoming.method);
  const { origin, searchParams: query } = url;
  const readUpTo = async (bytes: number) => (await readBody(incoming, bytes)).toString('utf8');
  // So that a test finds an email by its tag as soon as the relay has returned 202. Without the relay there are no tags.
  if (NEEDS_TAGS.test(url.pathname)) await options.relayMails?.settle().catch(() => undefined);
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

const NEEDS_TAGS = /^\/api\/v1\/(?:info|messages|message\/[^/]+|search|tags)$/;

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
