import { randomBytes, randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphFileAttachment } from '../../../src/lib/inbox/captured-mail.ts';
import type { Draft } from '../drafts.ts';
import type { UploadRequest } from '../message-schema.ts';

/** A file on its way into a draft. */
export type UploadSession = {
  readonly draftKey: string;
  /** The id by which the caller knows the draft. */
  readonly messageId: string;
  readonly mailbox: string;
  readonly clientId: string;
  readonly item: UploadRequest['AttachmentItem'];
  readonly expiresAt: Date;
  readonly url: string;
  /** Its path and query. */
  readonly path: string;
  readonly file: string;
  /** Bytes that arrived, all from the beginning on. */
  received: number;
  /** Whether a range is arriving now. */
  busy: boolean;
};

type NewSession = Pick<UploadSession, 'messageId' | 'clientId' | 'item' | 'expiresAt'> & {
  readonly draft: Draft;
};

export type UploadSessions = ReturnType<typeof makeUploadSessions>;

/** The open sessions and the files of drafts, which stay on disk: nothing here holds one whole in memory. */
export const makeUploadSessions = (folder: string, origin: () => string) => {
  const sessions = new Map<string, UploadSession>();

  const forget = async (session: UploadSession) => {
    sessions.delete(session.path);
    await rm(session.file, { force: true });
  };
  const newFile = () => join(folder, `${randomUUID()}.upload`);

  return {
    open: async ({ draft, messageId, clientId, item, expiresAt }: NewSession): Promise<UploadSession> => {
      const path = `/api/v2.0/Users('${randomUUID()}@${randomUUID()}')/Messages('${messageId}')/AttachmentSessions('${randomBytes(48).toString('base64url')}=')?authtoken=${randomBytes(96).toString('base64url')}`;
      const url = origin() + path;
      const file = newFile();
      await writeFile(file, '', { flag: 'wx' });
      const { key: draftKey, mailbox } = draft;
      const session: UploadSession = {
        draftKey,
        messageId,
        mailbox,
        clientId,
        item,
        expiresAt,
        url,
        path,
        file,
        received: 0,
        busy: false,
      };
      sessions.set(path, session);
      return session;
    },
    /** By path and query exactly as they were given out: the URL is opaque, and its token is all it takes. */
    find: (pathAndQuery: string): UploadSession | undefined => sessions.get(pathAndQuery),
    cancel: forget,
    /** The file is the draft's from now on. */
    complete: (session: UploadSession) => {
      sessions.delete(session.path);
    },
    /** The draft was sent or deleted: what is not complete will never be. */
    forgetDraft: async (draftKey: string) => {
      for (const session of [...sessions.values()]) if (session.draftKey === draftKey) await forget(session);
    },
    keepFile: async (bytes: Buffer): Promise<string> => {
      const file = newFile();
      await writeFile(file, bytes, { flag: 'wx' });
      return file;
    },
    deleteFiles: async (attachments: readonly GraphFileAttachment[]) => {
      for (const { contentFile } of attachments)
        if (contentFile !== undefined) await rm(contentFile, { force: true });
    },
  };
};
