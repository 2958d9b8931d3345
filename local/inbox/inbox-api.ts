import type { IncomingMessage } from 'node:http';
import packageJson from '../../package.json' with { type: 'json' };
import { decoded, parseBody, readPaging, readSearch, readStatus, removal } from './api-input.ts';
import type { CapturedMail } from './captured-mail.ts';
import { InboxProblem } from './inbox-problem.ts';
import { contentOfPart, downloadAs, partsOf } from './mail-parts.ts';
import type { MailPage, MailQuery, MailStore } from './mail-store.ts';
import { toHeaders, toMessage } from './mailpit-shapes.ts';

export type Answer = {
  readonly contentType: string;
  readonly content: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

type Request = {
  readonly store: MailStore;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly incoming: IncomingMessage;
};

type Route = {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: RegExp;
  readonly answer: (request: Request) => Promise<Answer> | Answer;
};

const ID = '(?<id>[^/]+)';
const at = (path: string) => new RegExp(`^/api/v1/${path}$`);

const ROUTES: readonly Route[] = [
  { method: 'GET', path: at('info'), answer: ({ store }) => json(toInfo(store)) },
  {
    method: 'GET',
    path: at('messages'),
    answer: ({ store, query }) => {
      const asked = readPaging(query);
      return json(toMailList(store.list(asked), asked));
    },
  },
  {
    method: 'GET',
    path: at('search'),
    answer: ({ store, query }) => {
      const asked = { ...readPaging(query), search: readSearch(query) };
      return json(toMailList(store.list(asked), asked));
    },
  },
  {
    method: 'PUT',
    path: at('messages'),
    answer: async ({ store, incoming }) => {
      const { Read, IDs, Search } = await parseBody(incoming, readStatus);
      if (IDs.length > 0 && Search !== '')
        throw new InboxProblem(400, 'Give either IDs or Search, not both.');
      await store.markRead(IDs.length > 0 ? IDs : idsOf(store, Search), Read);
      return ok();
    },
  },
  {
    method: 'DELETE',
    path: at('messages'),
    answer: async ({ store, incoming }) => {
      const { IDs } = await parseBody(incoming, removal);
      await (IDs.length > 0 ? store.remove(IDs) : store.clear());
      return ok();
    },
  },
  {
    method: 'DELETE',
    path: at('search'),
    answer: async ({ store, query }) => {
      await store.remove(idsOf(store, readSearch(query)));
      return ok();
    },
  },
  {
    method: 'GET',
    path: at(`message/${ID}`),
    answer: async (request) => {
      const mail = await findMail(request);
      await request.store.markRead([mail.id], true);
      return json(toMessage(mail));
    },
  },
  {
    method: 'GET',
    path: at(`message/${ID}/headers`),
    answer: async (request) => json(toHeaders(await findMail(request))),
  },
  {
    method: 'GET',
    path: at(`message/${ID}/graph`),
    answer: async (request) => {
      const { mailbox, acceptedAt, graphRequestId, request: sent } = await findMail(request);
      return json({ ...sent, mailbox, acceptedAt, graphRequestId });
    },
  },
  {
    method: 'GET',
    path: at(`message/${ID}/part/(?<partId>[^/]+)`),
    answer: async (request) => toPartAnswer(await findMail(request), request.path.partId ?? ''),
  },
];

/** Undefined: not a path of the API. */
export const answerApi = async (
  store: MailStore,
  url: URL,
  incoming: IncomingMessage,
): Promise<Answer | undefined> => {
  const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
  const here = ROUTES.filter(({ path }) => path.test(url.pathname));
  if (here.length === 0) return undefined;
  const route = here.find((candidate) => candidate.method === method);
  if (!route)
    throw new InboxProblem(
      405,
      `This path allows ${here.map((r) => r.method).join(', ')}, received ${method}.`,
    );
  const path = route.path.exec(url.pathname)?.groups ?? {};
  return route.answer({ store, path, query: url.searchParams, incoming });
};

/** Mailpit's `latest` stands for the newest mail. */
export const findMail = async ({ store, path }: Pick<Request, 'store' | 'path'>): Promise<CapturedMail> => {
  const id = decoded(path.id ?? '');
  const wanted = id === 'latest' ? store.list({ limit: 1 }).mails[0]?.summary.ID : id;
  const mail = wanted === undefined ? undefined : await store.find(wanted);
  if (!mail)
    throw new InboxProblem(404, 'There is no email with this ID. GET /api/v1/messages lists all emails.');
  return mail;
};

export const json = (value: unknown): Answer => ({
  contentType: 'application/json; charset=utf-8',
  content: JSON.stringify(value),
});

const ok = (): Answer => ({ contentType: 'text/plain; charset=utf-8', content: 'ok' });

const idsOf = (store: MailStore, search: string): string[] =>
  store.list({ search }).mails.map(({ summary }) => summary.ID);

const toMailList = (page: MailPage, { start = 0 }: MailQuery) => ({
  total: page.total,
  unread: page.unread,
  count: page.mails.length,
  messages_count: page.matching,
  messages_unread: page.matchingUnread,
  start,
  tags: [...new Set(page.mails.flatMap(({ summary }) => summary.Tags))].sort(),
  messages: page.mails.map(({ summary, isRead }) => ({ ...summary, Read: isRead })),
});

const toInfo = (store: MailStore) => {
  const { mails, total, unread } = store.list();
  const tags = new Map<string, number>();
  for (const tag of mails.flatMap(({ summary }) => summary.Tags)) tags.set(tag, (tags.get(tag) ?? 0) + 1);
  return { Version: packageJson.version, Messages: total, Unread: unread, Tags: Object.fromEntries(tags) };
};

/** Always as a download, whatever the type says: nothing a mail brings along opens on the inbox's own origin. */
const toPartAnswer = (mail: CapturedMail, partId: string): Answer => {
  const part = partsOf(mail).find((candidate) => candidate.partId === partId);
  const content = contentOfPart(mail, partId);
  if (!part || !content)
    throw new InboxProblem(404, 'This email has no such part. GET /api/v1/message/{ID} lists its parts.');
  return {
    contentType: part.contentType,
    content,
    headers: {
      'Content-Disposition': downloadAs(part.fileName),
      'Content-Security-Policy': "default-src 'none'; sandbox",
    },
  };
};
