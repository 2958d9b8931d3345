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
  'may-be-sent.js',
  'mail-tabs.js',
  'attachments.js',
  'conversation.js',
  'invitation.js',
  'people.js',
  'graph-request.js',
  'first-steps.js',
  'elements.js',
  'inbox-access.js',
  'key-entry.css',
  'key-entry.js',
  'wording.js',
  'relay-mail.css',
  'relay-mail.js',
  'waiting-list.js',
  'icon.svg',
]);

export type PageFile = { readonly contentType: string; readonly content: Buffer };

/** Reads a file of the page; undefined where the page has none of that name. */
export const readPageFile = async (name: string): Promise<PageFile | undefined> => {
  if (!FILES.has(name)) return undefined;
  const content = await readPage(name);
  return { contentType: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream', content };
};

/** Of the page where it may ask for everything itself: on this machine. */
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

/**
 * Of the page of a relay. Files come with a key and are shown from memory (`blob:`), and the document of a frame made of a text is bound
 * by the policy of its page as well as by its own: so this one has to allow what an email may have, styles and, once asked, images.
 */
export const RELAY_PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob: https: http:",
  "connect-src 'self'",
  "frame-src 'none'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of a relay, whose files are below a path: it asks for a key, and for changes now and then. */
export const readRelayPage = async (path: string): Promise<PageFile> => {
  const content = (await readPage('index.html')).toString('utf8');
  const base = path.replace(/[^\w./~-]/g, (character) => encodeURIComponent(character));
  return {
    contentType: 'text/html; charset=utf-8',
    content: Buffer.from(
      content
        .replace('<html lang="en">', '<html lang="en" data-inbox="relay">')
        .replace('<head>', `<head>\n  <base href="${base}">`)
        .replace('<small>local inbox</small>', '<small>captured emails</small>')
        .replace('Is <code>npm start</code> still running? ', ''),
    ),
  };
};
