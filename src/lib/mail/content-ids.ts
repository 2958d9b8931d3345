import { eachShownUrl } from './shown-urls.ts';

/** Percent-encoded, %E9%99%B3, one UTF-16 unit takes nine characters at most. */
const MOST_WRITTEN = 9;

const CID_URL = /^\s*cid:/i;

const decodePercent = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The form in which a `cid:` URL and the id of a part meet: mail clients match them without regard to case. */
export const contentIdKey = (cid: string): string => cid.toLowerCase();

/** Of the content ids asked about, by key, those an html shows by a `cid:` URL (RFC 2392). */
export const referredContentIds = (html: string, asked: ReadonlySet<string>): ReadonlySet<string> => {
  const longest = MOST_WRITTEN * Math.max(0, ...[...asked].map((key) => key.length));
  const referred = new Set<string>();
  eachShownUrl(html, (url) => {
    const scheme = CID_URL.exec(url)?.[0];
    if (scheme === undefined) return;
    const written = url.slice(scheme.length).trimEnd();
    if (written.length > longest) return;
    for (const key of [contentIdKey(written), contentIdKey(decodePercent(written))])
      if (asked.has(key)) referred.add(key);
  });
  return referred;
};
