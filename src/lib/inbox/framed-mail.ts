import type { CapturedMail } from './captured-mail.ts';
import { partsOf } from './mail-parts.ts';
import { toMessage } from './mailpit-shapes.ts';

export type FramedMail = { readonly html: string; readonly contentSecurityPolicy: string };

/** Only these: a link in a mail opens a new tab, which is not sandboxed, and nothing else of the mail comes alive. */
const FRAME_SANDBOX = 'allow-popups allow-popups-to-escape-sandbox';

/**
 * Put in front of the mail's HTML, whole document or fragment alike: a second doctype, <html> or <head> is dropped
 * by the HTML parser (https://html.spec.whatwg.org/multipage/parsing.html), and its content stays.
 * Mails are designed on white, so it stays white in the dark.
 */
const BEFORE_THE_MAIL = `<!doctype html><meta charset="utf-8"><base target="_blank"><style>
:root { color-scheme: light; background: #fff; color: #1d2126; }
body { margin: 20px 28px; font: 15px/1.6 "Segoe UI", -apple-system, "PingFang TC", "Microsoft JhengHei UI", "Noto Sans TC", "Noto Sans CJK TC", system-ui, sans-serif; overflow-wrap: break-word; }
img { max-width: 100%; height: auto; }
@media (max-width: 520px) { body { margin: 12px; } }
</style>
`;

/** The HTML of a mail as a document of its own, which can run nothing and, unless asked, fetches nothing from elsewhere. */
export const toFramedMail = (
  mail: CapturedMail,
  { origin, remoteImages }: { readonly origin: string; readonly remoteImages: boolean },
): FramedMail => {
  const parts = `${origin}/api/v1/message/${mail.id}/part/`;
  const images = remoteImages ? `${parts} data: https: http:` : `${parts} data:`;
  return {
    html: BEFORE_THE_MAIL + withPartsForCids(toMessage(mail).HTML, mail, parts),
    // `sandbox` here too: the document is as harmless when opened without the frame.
    contentSecurityPolicy: [
      "default-src 'none'",
      `img-src ${images}`,
      "style-src 'unsafe-inline'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'self'",
      `sandbox ${FRAME_SANDBOX}`,
    ].join('; '),
  };
};

/** `cid:` where a URL can stand: an attribute's value or CSS `url(...)`. */
const CID_URL = /(["'=(]\s*)cid:([^"'()\s<>]+)/gi;

const withPartsForCids = (html: string, mail: CapturedMail, parts: string): string => {
  const partIds = new Map(partsOf(mail).map((part) => [part.contentId, part.partId]));
  return html.replace(CID_URL, (whole, before: string, cid: string) => {
    const partId = partIds.get(cid) ?? partIds.get(decodeCid(cid));
    return partId === undefined ? whole : `${before}${parts}${partId}`;
  });
};

const decodeCid = (cid: string): string => {
  try {
    return decodeURIComponent(cid);
  } catch {
    return cid;
  }
};
