import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAttachment } from '../../../local/inbox/attachment-content.ts';
import { openMailStore } from '../../../local/inbox/mail-store.ts';
import { sizeOfAttachment } from '../../../src/lib/inbox/attachment-content.ts';
import type { GraphFileAttachment } from '../../../src/lib/inbox/captured-mail.ts';
import { inFolder } from '../certificate-for-tests.ts';
import { aCapturedMail, attached } from './captured-mails.ts';

const BYTES = Buffer.from('薪資單');

const inFile = (contentFile: string): GraphFileAttachment => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: '../../a.pdf',
  contentFile,
  size: BYTES.length,
});

/** A store, and an email with a small attachment and one that is in a file elsewhere. */
const stored = (work: (at: { folder: string; upload: string; id: string }) => Promise<void>) =>
  inFolder(async (root) => {
    const folder = path.join(root, 'inbox');
    const upload = path.join(root, 'upload');
    await writeFile(upload, BYTES);
    const { capture } = await openMailStore({ folder });
    const mail = aCapturedMail({ message: { attachments: [attached('b', BYTES), inFile(upload)] } });
    await capture(mail);
    await work({ folder, upload, id: mail.id });
  });

describe('an attachment', () => {
  test('is read from the email or from its file, and its size is known without that', () =>
    stored(async ({ folder, id }) => {
      const mail = await (await openMailStore({ folder })).find(id);
      const attachments = mail?.request.body.message.attachments ?? [];
      expect(attachments.map(sizeOfAttachment)).toEqual([BYTES.length, BYTES.length]);
      for (const attachment of attachments) expect(await readAttachment(mail!, attachment)).toEqual(BYTES);
    }));

  test('in a file is moved beside its email, under a name that is not its own', () =>
    stored(async ({ folder, upload, id }) => {
      expect((await readdir(folder)).sort()).toEqual([`${id}.2.content`, `${id}.json`]);
      await expect(readFile(upload)).rejects.toThrow(/ENOENT/);
    }));

  test('is never read from a path that somebody wrote into the folder', () =>
    stored(async ({ folder, id }) => {
      const file = path.join(folder, `${id}.json`);
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace(`${id}.2.content`, '/etc/hostname'));
      const mail = await (await openMailStore({ folder })).find(id);
      expect(mail?.request.body.message.attachments?.[1]?.contentFile).toBe(
        path.join(folder, `${id}.2.content`),
      );
    }));

  test('of an email that was not stored completely is deleted at the next start', () =>
    stored(async ({ folder, id }) => {
      await writeFile(path.join(folder, 'other.1.content'), BYTES);
      await mkdir(path.join(folder, 'kept'));
      await openMailStore({ folder });
      expect((await readdir(folder)).sort()).toEqual([`${id}.2.content`, `${id}.json`, 'kept'].sort());
    }));

  test('without either says what was expected', async () => {
    const broken: GraphFileAttachment = { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a' };
    const mail = aCapturedMail({ message: { attachments: [broken] } });
    await expect(readAttachment(mail, broken)).rejects.toThrow(/Attachment 1 of the email .* expected one/);
  });
});
