import mime from 'mime';
import type { Attachment } from 'postal-mime';
import { contentIdKey, referredContentIds } from '../../../../src/lib/mail/content-ids.ts';

const MAX_NAME = 200;
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/** A name that people can save a file under: the relay rejects others. */
const fileName = ({ filename, mimeType }: Attachment, place: number): string => {
  const cleaned = (filename ?? '')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .replaceAll(/[/\\]/g, '_')
    .slice(-MAX_NAME)
    .replaceAll(/^\s+|[\s.]+$/g, '');
  return /^[\s.]*$/.test(cleaned)
    ? `attachment-${place + 1}.${mime.getExtension(mimeType) ?? 'bin'}`
    : cleaned;
};

/** A file, and its bytes. */
type File = Attachment & { readonly bytes: Buffer };

/** The files of a message for the JSON of the relay; a content id stays where the html refers to it. */
export const jsonFiles = (files: readonly File[], html: string): readonly Record<string, string>[] => {
  const ids = files.map(({ contentId }) => contentId?.replaceAll(/^<|>$/g, '') ?? '');
  const keys = ids.map((id) => (id === '' ? undefined : contentIdKey(id)));
  const referred = referredContentIds(html, new Set(keys.filter((key) => key !== undefined)));
  return files.map((file, place) => {
    const key = keys[place];
    const isInline = key !== undefined && referred.has(key) && keys.indexOf(key) === place;
    return {
      filename: fileName(file, place),
      contentType: MEDIA_TYPE.test(file.mimeType) ? file.mimeType : 'application/octet-stream',
      content: file.bytes.toString('base64'),
      ...(isInline ? { cid: ids[place] ?? '' } : {}),
    };
  });
};
