import { readPage } from './page-folder.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The files of the page by name: what is not in this list has no path, so no path can leave the folder. */
const FILES: ReadonlySet<string> = new Set([
  'index.html',
  'base.css',
  'inbox.css',
  'mail.css',
  'attachments.css',
  'conversation.css',
  'invitation.css',
  'mail-tabs.css',
  'first-steps.css',
  'dialogs.css',
  'inbox.js',
  'mail-list.js',
  'mail-view.js',
  'mail-tabs.js',
  'attachments.js',
  'conversation.js',
  'invitation.js',
  'people.js',
  'graph-request.js',
  'first-steps.js',
  'elements.js',
  'wording.js',
  'icon.svg',
]);

export type PageFile = { readonly contentType: string; readonly content: Buffer };

/** Reads a file of the page; undefined where the page has none of that name. */
export const readPageFile = async (name: string): Promise<PageFile | undefined> => {
  if (!FILES.has(name)) return undefined;
  const content = await readPage(name);
  return { contentType: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream', content };
};

export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
