import { isObject } from '../mail/absent.ts';
import { contentIdKey, referredContentIds } from '../mail/content-ids.ts';

/** A content id as ours: providers take it as a URL, in angle brackets, or as it is. */
export const contentIdOf = (written: unknown): unknown =>
  typeof written === 'string'
    ? written
        .trim()
        .replace(/^cid:/i, '')
        .replace(/^<(.*)>$/s, '$1')
    : written;

const cidOf = (file: unknown): string | undefined =>
  isObject(file) && typeof file.cid === 'string' ? file.cid : undefined;

/**
 * Files of our email, where only those have a content id that the html shows. Applications of these providers give ids to all of their
 * files, which the providers accept; with an id that nothing shows, mail clients would hide a file, and without it recipients see it.
 */
export const withShownIds = (files: readonly unknown[], html: unknown): readonly unknown[] => {
  const asked = new Set(files.flatMap((file) => cidOf(file) ?? []).map(contentIdKey));
  if (asked.size === 0) return files;
  const shown = typeof html === 'string' ? referredContentIds(html, asked) : new Set<string>();
  return files.map((file) => {
    const cid = cidOf(file);
    if (cid === undefined || shown.has(contentIdKey(cid))) return file;
    const { cid: _, ...rest } = file as Readonly<Record<string, unknown>>;
    return rest;
  });
};
