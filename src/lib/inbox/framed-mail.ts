import type { ReadElsewhere } from './attachment-content.ts';
import type { CapturedMail } from './captured-mail.ts';
import { contentOfPart, type MailPart, partsOf } from './mail-parts.ts';
import { toMessage } from './mailpit-shapes.ts';

export type FramedMail = { readonly html: string; readonly contentSecurityPolicy: string };

/** Only these: a link in a mail opens a new tab, which is not sandboxed, and nothing else of the mail comes alive. */
const FRAME_SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';

/**
 * Put in front of the mail's HTML, whole document or fragment alike: a second doctype, <html> or <head> is dropped
 * by the HTML parser (https://html.spec.whatwg.org/multipage/parsing.html), and its content stays.
 * Mails are designed on white, so it stays white in the dark.
 */
const beforeTheMail = (
  policy = '',
): string => `<!doctype html><meta charset="utf-8">${policy}<base target="_blank"><style>
:root { color-scheme: light; background: #fff; color: #1d2126; }
body { margin: 20px 28px; font: 15px/1.6 "Segoe UI", -apple-system, "PingFang TC", "Microsoft JhengHei UI", "Noto Sans TC", "Noto Sans CJK TC", system-ui, sans-serif; overflow-wrap: break-word; }
img { max-width: 100%; height: auto; }
@media (max-width: 520px) { body { margin: 12px; } }
</style>
`;

const policyOf = (images: string): readonly string[] => [
  "default-src 'none'",
  `img-src ${images}`,
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
];

const REMOTE = 'https: http:';

type Asked = {
  readonly remoteImages: boolean;
  /** Only the HTML of the mail, without what the page puts in front of it. */
  readonly bare?: boolean;
};

/** The HTML of a mail as a document of its own, which can run nothing and, unless asked, fetches nothing from elsewhere. */
export const toFramedMail = (
  mail: CapturedMail,
  { origin, remoteImages, bare = false }: Asked & { readonly origin: string },
): FramedMail => {
  const parts = `${origin}/api/v1/message/${mail.id}/part/`;
  const images = remoteImages ? `${parts} data: ${REMOTE}` : `${parts} data:`;
  return {
    html:
      (bare ? '' : beforeTheMail()) +
      withUrlsForCids(toMessage(mail).HTML, mail, ({ partId }) => `${parts}${partId}`),
    // `sandbox` here too: the document is as harmless when opened without the frame.
    contentSecurityPolicy: [...policyOf(images), "frame-ancestors 'self'", `sandbox ${FRAME_SANDBOX}`].join(
      '; ',
    ),
  };
};

/** Larger ones would make a document that a browser does not show. */
const MOST_IMAGE_BYTES = 5_000_000;
const IMAGE = /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/;

/**
 * The same where a frame cannot ask for anything, because every request needs a key: images of the mail are in the document, and so is its
 * policy. It is meant for `srcdoc`.
 */
export const toSelfContainedMail = async (
  mail: CapturedMail,
  { readElsewhere, remoteImages, bare = false }: Asked & { readonly readElsewhere: ReadElsewhere },
): Promise<FramedMail> => {
  const { HTML } = toMessage(mail);
  const urls = new Map<string, string>();
  let room = MOST_IMAGE_BYTES;
  for (const { partId, contentType, contentId, sizeBytes } of partsOf(mail)) {
    if (contentId === '' || !IMAGE.test(contentType) || sizeBytes > room) continue;
    // An image that is gone is shown as one.
    const content = await contentOfPart(mail, partId, readElsewhere).catch(() => undefined);
    if (content === undefined) continue;
    room -= content.length;
    urls.set(partId, `data:${contentType};base64,${content.toString('base64')}`);
  }
  const policy = policyOf(remoteImages ? `data: ${REMOTE}` : 'data:').join('; ');
  return {
    html:
      (bare ? '' : beforeTheMail(`<meta http-equiv="Content-Security-Policy" content="${policy}">`)) +
      withUrlsForCids(HTML, mail, ({ partId }) => urls.get(partId)),
    contentSecurityPolicy: [policy, "frame-ancestors 'none'", `sandbox ${FRAME_SANDBOX}`].join('; '),
  };
};

/** `cid:` where a URL can stand: an attribute's value or CSS `url(...)`. */
const CID_URL = /(["'=(]\s*)cid:([^"'()\s<>]+)/gi;

const withUrlsForCids = (
  html: string,
  mail: CapturedMail,
  urlOf: (part: MailPart) => string | undefined,
): string => {
  const parts = new Map(partsOf(mail).map((part) => [part.contentId, part]));
  return html.replace(CID_URL, (whole, before: string, cid: string) => {
    const part = parts.get(cid) ?? parts.get(decodeCid(cid));
    const url = part && urlOf(part);
    return url === undefined ? whole : `${before}${url}`;
  });
};

const decodeCid = (cid: string): string => {
  try {
    return decodeURIComponent(cid);
  } catch {
    return cid;
  }
};
