import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CapturedMail } from './captured-mail.ts';

/** A mail and its place in the order of arrival. Ids need not be in order, and two mails may share a millisecond. */
export type ArrivedMail = { readonly arrival: number; readonly mail: CapturedMail };

/** Where the store keeps its mails: this folder, or the memory. */
export type MailShelf = {
  readonly put: (arrived: ArrivedMail) => Promise<void>;
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
  return {
    put: async (arrived) => {
      const file = fileOf(arrived.mail.id, MAIL);
      const unfinished = `${file}.${randomUUID()}${UNFINISHED}`;
      const handle = await open(unfinished, 'wx');
      try {
        await handle.writeFile(JSON.stringify(arrived));
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, file);
    },
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
    },
  };
};

/** What an earlier run left. One file that cannot be read is no reason to hide the others. */
export const lookThroughFolder = async (folder: string): Promise<FoundInFolder> => {
  await mkdir(folder, { recursive: true });
  const arrived: ArrivedMail[] = [];
  const skipped: SkippedFile[] = [];
  const readIds = new Set<string>();
  for (const name of await readdir(folder)) {
    const { name: id, ext } = path.parse(name);
    if (ext === READ_MARK) readIds.add(id);
    if (ext === UNFINISHED) await rm(path.join(folder, name), { force: true });
    if (ext !== MAIL) continue;
    const found = await readMailFile(path.join(folder, name), id);
    if ('mail' in found) arrived.push(found);
    else skipped.push(found);
  }
  return { arrived, readIds, skipped };
};

/** Reasons never quote the file: it may be half of somebody's mail. */
const readMailFile = async (file: string, id: string): Promise<ArrivedMail | SkippedFile> => {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isArrivedMail(value)) return { file, reason: 'is not a captured email' };
    if (value.mail.id !== id) return { file, reason: 'contains an email with another id' };
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return { file, reason: 'is not complete JSON' };
    return { file, reason: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown cause'})` };
  }
};
