import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { answering, answerJson, BodyTooLargeError, listen } from '../http.ts';
import type { Listening } from '../listening.ts';
import { streamChanges } from './change-events.ts';
import { toFramedMail } from './framed-mail.ts';
import { type Answer, answerApi, findMail, json } from './inbox-api.ts';
import { InboxProblem } from './inbox-problem.ts';
import type { MailStore } from './mail-store.ts';
import { PAGE_SECURITY_POLICY, readPageFile } from './page-files.ts';

/** What the page tells someone who has not sent anything yet. */
type FirstMail = { readonly endpoint: string; readonly functionKey: string; readonly curl: string };

export type InboxOptions = {
  readonly store: MailStore;
  readonly port: number;
  readonly firstMail: FirstMail;
  /** The origin under which a tunnel shows the inbox, where there is one. */
  readonly forwardedAs?: string;
};

const MAIL_FRAME = /^\/mail\/(?<id>[^/]+)\/html$/;

/** The inbox: the page for people, Mailpit's API for their tests. */
export const startInbox = async ({
  store,
  port,
  firstMail,
  forwardedAs,
}: InboxOptions): Promise<Listening> => {
  const server = createServer(
    answering(async (request, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'same-origin');
      try {
        const url = URL.parse(`http://${request.headers.host}${request.url}`);
        if (!url) throw new InboxProblem(400, 'The path of the request is not valid.');
        if (request.method === 'GET' && url.pathname === '/events') streamChanges(store, response);
        else send(response, await answer({ store, firstMail, forwardedAs, url, request }));
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
    ...(forwardedAs === undefined ? {} : { forwardedAs }),
  });
};

type Asked = Pick<InboxOptions, 'store' | 'firstMail'> & {
  readonly forwardedAs: string | undefined;
  readonly url: URL;
  readonly request: IncomingMessage;
};

const answer = async ({ store, firstMail, forwardedAs, url, request }: Asked): Promise<Answer> => {
  const fromApi = await answerApi(store, url, request);
  if (fromApi) return fromApi;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new InboxProblem(405, `This path allows GET, received ${request.method}.`);
  if (url.pathname === '/first-mail') return json(firstMail);

  const frame = MAIL_FRAME.exec(url.pathname);
  if (frame) {
    const mail = await findMail({ store, path: frame.groups ?? {} });
    const remoteImages = url.searchParams.get('remote-images') === 'load';
    const origin = isThrough(forwardedAs, request) ? forwardedAs : url.origin;
    const { html, contentSecurityPolicy } = toFramedMail(mail, { origin, remoteImages });
    return {
      contentType: 'text/html; charset=utf-8',
      content: html,
      headers: { 'Content-Security-Policy': contentSecurityPolicy },
    };
  }

  const file = await readPageFile(url.pathname === '/' ? 'index.html' : url.pathname.slice(1));
  if (!file) throw new InboxProblem(404, 'There is nothing here. The inbox is at /, its API under /api/v1/.');
  return { ...file, headers: { 'Content-Security-Policy': PAGE_SECURITY_POLICY } };
};

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
