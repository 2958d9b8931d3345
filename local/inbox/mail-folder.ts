import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CapturedMail, GraphFileAttachment } from '../../src/lib/inbox/captured-mail.ts';

/** A mail and its place in the order of arrival. Ids need not be in order, and two mails may share a millisecond. */
export type ArrivedMail = { readonly arrival: number; readonly mail: CapturedMail };

/** Where the store keeps its mails: this folder, or the memory. */
export type MailShelf = {
  readonly put: (arrived: ArrivedMail) => Promise<void>;
  /** The same email with more that is known of it; its content files stay. */
  readonly rewrite: (arrived: ArrivedMail) => Promise<void>;
  readonly read: (id: string) => Promise<CapturedMail | undefined>;
  readonly setRead: (id: string, isRead: boolean) => Promise<void>;
  readonly delete: (id: string) => Promise<void>;
};

export type SkippedFile = { readonly file: string; readonly reason: string };

export type FoundInFolder = {
  readonly arrived: readonly ArrivedMail[];
  readonly readIds: ReadonlySet<string>;
  readonly skipped: readonly SkippedFile[];
};

const MAIL = '.json';
const UNFINISHED = '.tmp';
/** An empty file beside the mail: to mark one as read, a mail of some megabytes need not be written again. */
const READ_MARK = '.read';
/** A large attachment, numbered by its place in the email from 1. */
const CONTENT = '.content';
const CONTENT_FILE = /^([A-Za-z0-9][A-Za-z0-9_-]{0,127})\.\d{1,5}\.content$/;

export const MAIL_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** What the inbox cannot do without; the rest of the message is shown as it came. */
const arrivedMail = z.object({
  arrival: z.int().nonnegative(),
  mail: z.looseObject({
    id: z.string().regex(MAIL_ID),
    acceptedAt: z.iso.datetime(),
    mailbox: z.string(),
    graphRequestId: z.string(),
    request: z.looseObject({
      method: z.string(),
      path: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.looseObject({ message: z.looseObject({}) }),
    }),
  }),
});

const isArrivedMail = (value: unknown): value is ArrivedMail => arrivedMail.safeParse(value).success;

/** Keeps each email in a file of its own, which is complete or not there. */
export const openMailFolder = (folder: string): MailShelf => {
  const fileOf = (id: string, kind: string) => {
    if (!MAIL_ID.test(id)) throw new TypeError(`"${id}" cannot be the id of an email: expected ${MAIL_ID}`);
    return path.join(folder, `${id}${kind}`);
  };
  const write = async ({ arrival, mail }: ArrivedMail): Promise<void> => {
    const file = fileOf(mail.id, MAIL);
    const unfinished = `${file}.${randomUUID()}${UNFINISHED}`;
    const handle = await open(unfinished, 'wx');
    try {
      await handle.writeFile(JSON.stringify({ arrival, mail: withContentFiles(mail, path.basename) }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, file);
  };
  return {
    put: async (arrived) => {
      fileOf(arrived.mail.id, MAIL);
      const contents = contentFilesOf(arrived.mail, folder);
      for (const { from, to } of contents) await bringIn(from, to);
      await write(arrived);
      for (const { from } of contents) await rm(from, { force: true });
    },
    rewrite: write,
    read: async (id) => {
      const found = await readMailFile(fileOf(id, MAIL), id);
      return 'mail' in found ? found.mail : undefined;
    },
    setRead: async (id, isRead) => {
      if (isRead) await writeFile(fileOf(id, READ_MARK), '');
      else await rm(fileOf(id, READ_MARK), { force: true });
    },
    delete: async (id) => {
      await rm(fileOf(id, MAIL), { force: true });
      await rm(fileOf(id, READ_MARK), { force: true });
      for (const name of await readdir(folder))
        if (CONTENT_FILE.exec(name)?.[1] === id) await rm(path.join(folder, name), { force: true });
    },
  };
};

/** What an earlier run left. One file that cannot be read is no reason to hide the others. */
export const lookThroughFolder = async (folder: string): Promise<FoundInFolder> => {
  await mkdir(folder, { recursive: true });
  const arrived: ArrivedMail[] = [];
  const skipped: SkippedFile[] = [];
  const readIds = new Set<string>();
  const contents: string[] = [];
  for (const name of await readdir(folder)) {
    const { name: id, ext } = path.parse(name);
    if (ext === READ_MARK) readIds.add(id);
    if (ext === CONTENT) contents.push(name);
    if (ext === UNFINISHED) await rm(path.join(folder, name), { force: true });
    if (ext !== MAIL) continue;
    const found = await readMailFile(path.join(folder, name), id);
    if ('mail' in found) arrived.push(found);
    else skipped.push(found);
  }
  // Of an email that was not stored completely, or not deleted completely.
  const kept = new Set([
    ...arrived.map(({ mail }) => mail.id),
    ...skipped.map(({ file }) => path.parse(file).name),
  ]);
  for (const name of contents)
    if (!kept.has(CONTENT_FILE.exec(name)?.[1] ?? name)) await rm(path.join(folder, name), { force: true });
  return { arrived, readIds, skipped };
};

/** Names come from the id and the place alone, never from the file itself: it may have been written by hand. */
const contentName = (id: string, index: number) => `${id}.${index + 1}${CONTENT}`;

const contentFilesOf = ({ id, request }: CapturedMail, folder: string) =>
  (request.body.message.attachments ?? []).flatMap(({ contentFile }, index) =>
    contentFile === undefined ? [] : [{ from: contentFile, to: path.join(folder, contentName(id, index)) }],
  );

/** The same email with the content files that it has in this folder, or with their names alone. */
const withContentFiles = (mail: CapturedMail, toPath: (name: string) => string): CapturedMail => {
  const { attachments } = mail.request.body.message;
  if (attachments?.some(({ contentFile }) => contentFile !== undefined) !== true) return mail;
  const named = attachments.map(
    (attachment, index): GraphFileAttachment =>
      attachment.contentFile === undefined
        ? attachment
        : { ...attachment, contentFile: toPath(contentName(mail.id, index)) },
  );
  const { request } = mail;
  const { body } = request;
  return {
    ...mail,
    request: { ...request, body: { ...body, message: { ...body.message, attachments: named } } },
  };
};

/** A second name for the same bytes, so that a stop half-way leaves them where they were; on another disk, a copy. */
const bringIn = async (from: string, to: string): Promise<void> => {
  await rm(to, { force: true });
  await link(from, to).catch(() => copyFile(from, to));
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Reasons never quote the file: it may be half of somebody's mail. */
const readMailFile = async (file: string, id: string): Promise<ArrivedMail | SkippedFile> => {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isArrivedMail(value)) return { file, reason: 'is not a captured email' };
    if (value.mail.id !== id) return { file, reason: 'contains an email with another id' };
    return { ...value, mail: withContentFiles(value.mail, (name) => path.join(path.dirname(file), name)) };
  } catch (error) {
    if (error instanceof SyntaxError) return { file, reason: 'is not complete JSON' };
    return { file, reason: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown cause'})` };
  }
};
