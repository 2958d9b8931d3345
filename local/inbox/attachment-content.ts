import { readFile } from 'node:fs/promises';
import { contentOfAttachment } from '../../src/lib/inbox/attachment-content.ts';
import type { CapturedMail, GraphFileAttachment } from '../../src/lib/inbox/captured-mail.ts';

/** Reads a large file of an email, which the folder of the inbox has. */
export const readContentFile = (path: string): Promise<Buffer> => readFile(path);

/** The bytes of an attachment, from the request or, for a large one, from its file. */
export const readAttachment = (mail: CapturedMail, attachment: GraphFileAttachment): Promise<Buffer> =>
  contentOfAttachment(mail, attachment, readContentFile);
