import { eachShownUrl } from './shown-urls.ts';

/** Percent-encoded, %E9%99%B3, one UTF-16 unit takes nine characters at most. */
const MOST_WRITTEN = 9;

/** An email shows far fewer files; after so many references the rest is not looked at, and what was not found is told. */
const MOST_REFERENCES = 10_000;

const CID_URL = /^\s*cid:/i;

/** What is no percent-encoding stays as it is written. Throws nothing: a body may have a million of them. */
const decodePercent = (text: string): string => {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text);
  let length = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] === PERCENT ? hexAt(bytes, index + 1) : undefined;
    bytes[length] = byte ?? bytes[index] ?? 0;
    length += 1;
    if (byte !== undefined) index += 2;
  }
  return bytes.toString('utf8', 0, length);
};

const PERCENT = 0x25;

const hexAt = (bytes: Buffer, index: number): number | undefined => {
  const [high, low] = [hexDigit(bytes[index]), hexDigit(bytes[index + 1])];
  return high === undefined || low === undefined ? undefined : high * 16 + low;
};

const hexDigit = (code = 0): number | undefined => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : undefined;
};

/** The form in which a `cid:` URL and the id of a part meet: mail clients match them without regard to case. */
export const contentIdKey = (cid: string): string => cid.toLowerCase();

/** Of the content ids asked about, by key, those an html shows by a `cid:` URL (RFC 2392). */
export const referredContentIds = (html: string, asked: ReadonlySet<string>): ReadonlySet<string> => {
  const longest = MOST_WRITTEN * Math.max(0, ...[...asked].map((key) => key.length));
  const referred = new Set<string>();
  let last = '';
  let references = 0;
  eachShownUrl(html, (url) => {
    // As in a URL that was folded over lines (URL standard, 4.4: tabs and line breaks are removed).
    const inOneLine = /[\t\n\r]/.test(url) ? url.replaceAll(/[\t\n\r]/g, '') : url;
    const scheme = CID_URL.exec(inOneLine)?.[0];
    if (scheme === undefined) return true;
    references += 1;
    const written = inOneLine.slice(scheme.length).trimEnd();
    if (written.length > longest || written === last) return references < MOST_REFERENCES;
    last = written;
    for (const key of [contentIdKey(written), contentIdKey(decodePercent(written))])
      if (asked.has(key)) referred.add(key);
    return references < MOST_REFERENCES && referred.size < asked.size;
  });
  return referred;
};
