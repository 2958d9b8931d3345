import { parseBody, readPaging, readSearch, readStatus, readTimeZone, removal } from './api-input.ts';
import type { ReadElsewhere } from './attachment-content.ts';
import type { CapturedMail } from './captured-mail.ts';
import { toEml } from './eml.ts';
import { toGraphRequest } from './graph-request.ts';
import { InboxProblem } from './inbox-problem.ts';
import type { InboxStore, MailPage, MailQuery } from './inbox-store.ts';
import { contentOfPart, downloadAs, partsOf } from './mail-parts.ts';
import { webUi } from './mailpit-settings.ts';
import { toHeaders, toMessage } from './mailpit-shapes.ts';
import { notOfferedRoutes } from './not-offered.ts';
import type { PathParams, Route } from './routes.ts';

export type Answer = {
  readonly contentType: string;
  readonly content: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What nothing of an email can come alive in, on an address of the inbox. */
const NOTHING_COMES_ALIVE = "default-src 'none'; sandbox";

export type Asked = {
  readonly store: InboxStore;
  readonly path: PathParams;
  readonly query: URLSearchParams;
  /** At most BODY_LIMIT_BYTES. */
  readonly readBody: () => Promise<string>;
  readonly readElsewhere: ReadElsewhere;
  /** What the inbox says of itself beside what it has. */
  readonly about: Readonly<Record<string, unknown>>;
};

type Target = (asked: Asked) => Promise<Answer>;

const OK: Answer = { contentType: 'text/plain; charset=utf-8', content: 'ok' };

/** Mailpit's API as far as it is offered, and beside it the Graph request behind an email. */
export const apiRoutes: readonly Route<Target>[] = [
  ['GET', '/livez', async () => OK],
  ['GET', '/readyz', async () => OK],
  ['GET', '/api/v1/info', async ({ store, about }) => toJson({ ...about, ...toInfo(await store.list()) })],
  ['GET', '/api/v1/webui', async () => toJson(webUi)],
  ['GET', '/api/v1/tags', async ({ store }) => toJson(Object.keys(toInfo(await store.list()).Tags).sort())],
  [
    'GET',
    '/api/v1/messages',
    async ({ store, query }) => {
      const asked = readPaging(query);
      return toJson(toMailList(await store.list(asked), asked));
    },
  ],
  [
    'GET',
    '/api/v1/search',
    async ({ store, query }) => {
      const asked = { ...readPaging(query), ...readTimeZone(query), search: readSearch(query) };
      return toJson(toMailList(await store.list(asked), asked));
    },
  ],
  [
    'PUT',
    '/api/v1/messages',
    async ({ store, query, readBody }) => {
      const { Read, IDs, Search } = parseBody(await readBody(), readStatus);
      if (IDs.length > 0 && Search !== '')
        throw new InboxProblem(400, 'Give either IDs or Search, not both.');
      await store.markRead(IDs.length > 0 ? IDs : await idsOf(store, Search, query), Read);
      return OK;
    },
  ],
  [
    'DELETE',
    '/api/v1/messages',
    async ({ store, readBody }) => {
      const { IDs } = parseBody(await readBody(), removal);
      await (IDs.length > 0 ? store.remove(IDs) : store.clear());
      return OK;
    },
  ],
  [
    'DELETE',
    '/api/v1/search',
    async ({ store, query }) => {
      await store.remove(await idsOf(store, readSearch(query), query));
      return OK;
    },
  ],
  [
    'GET',
    '/api/v1/message/:id',
    async (asked) => {
      const mail = await findMail(asked);
      await asked.store.markRead([mail.id], true);
      return toJson(toMessage(mail));
    },
  ],
  ['GET', '/api/v1/message/:id/headers', async (asked) => toJson(toHeaders(await findMail(asked)))],
  ['GET', '/api/v1/message/:id/graph', async (asked) => toJson(toGraphRequest(await findMail(asked)))],
  [
    'GET',
    '/api/v1/message/:id/raw',
    async (asked) => {
      const mail = await findMail(asked);
      return toRawAnswer(mail, await toEml(mail, asked.readElsewhere), asked.query.get('dl') === '1');
    },
  ],
  [
    'GET',
    '/api/v1/message/:id/part/:part',
    async (asked) => toPartAnswer(await findMail(asked), asked.path.part ?? '', asked.readElsewhere),
  ],
  [
    'GET',
    '/view/:id.txt',
    async (asked) => ({
      contentType: 'text/plain; charset=utf-8',
      content: toMessage(await findMail(asked)).Text,
      headers: { 'Content-Security-Policy': NOTHING_COMES_ALIVE },
    }),
  ],
  ...notOfferedRoutes,
];

/** Mailpit's `latest` stands for the newest mail. */
export const findMail = async ({ store, path }: Pick<Asked, 'store' | 'path'>): Promise<CapturedMail> => {
  const { id = '' } = path;
  const wanted = id === 'latest' ? (await store.list({ limit: 1 })).mails[0]?.summary.ID : id;
  const mail = wanted === undefined ? undefined : await store.find(wanted);
  if (!mail)
    throw new InboxProblem(404, 'There is no email with this ID. GET /api/v1/messages lists all emails.');
  return mail;
};

/** A value as the body of an answer. */
export const toJson = (value: unknown): Answer => ({
  contentType: 'application/json; charset=utf-8',
  content: JSON.stringify(value),
});

const idsOf = async (store: InboxStore, search: string, query: URLSearchParams): Promise<string[]> =>
  (await store.list({ search, ...readTimeZone(query) })).mails.map(({ summary }) => summary.ID);

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

const toInfo = ({ mails, total, unread }: MailPage) => {
  const tags = new Map<string, number>();
  for (const tag of mails.flatMap(({ summary }) => summary.Tags)) tags.set(tag, (tags.get(tag) ?? 0) + 1);
  return { Messages: total, Unread: unread, Tags: Object.fromEntries(tags) };
};

/** As in Mailpit, to read; with `dl=1` to keep. The name is never one from the email. */
const toRawAnswer = ({ id }: CapturedMail, content: Buffer, asDownload: boolean): Answer => ({
  contentType: 'text/plain; charset=utf-8',
  content,
  headers: {
    ...(asDownload && { 'Content-Disposition': `attachment; filename="${id}.eml"` }),
    'Content-Security-Policy': NOTHING_COMES_ALIVE,
  },
});

/** Always as a download, whatever the type says: nothing a mail brings along opens on the inbox's own origin. */
const toPartAnswer = async (
  mail: CapturedMail,
  partId: string,
  readElsewhere: ReadElsewhere,
): Promise<Answer> => {
  const part = partsOf(mail).find((candidate) => candidate.partId === partId);
  const content = await contentOfPart(mail, partId, readElsewhere);
  if (!part || !content)
    throw new InboxProblem(404, 'This email has no such part. GET /api/v1/message/{ID} lists its parts.');
  return {
    contentType: part.contentType,
    content,
    headers: {
      'Content-Disposition': downloadAs(part.fileName),
      'Content-Security-Policy': NOTHING_COMES_ALIVE,
    },
  };
};
