/** Where a `cid:` URL can stand: the value of an attribute, in quotes or not, and CSS `url()`. */
const REFERENCE = /(["'=(]|&(?:quot|apos|#34|#39);)\s*cid:/gi;
/** A content id has no white space, so that ends it everywhere. */
const END_IN = {
  '"': /[\s"]/g,
  "'": /[\s']/g,
  bare: /[\s"'<>)]|&(?:quot|apos|#34|#39);/gi,
} as const;

/** One character percent-encoded, %E9%99%B3, takes nine at most; as an entity, &#128512;, no more. */
const MOST_WRITTEN = 12;

const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>' };

const decodeEntities = (text: string): string =>
  text.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|(amp|quot|apos|lt|gt));/gi, (_, decimal, hex, name) =>
    name === undefined
      ? String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10))
      : (NAMED_ENTITIES[name.toLowerCase()] ?? ''),
  );

const decodePercent = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The form in which a `cid:` URL and the id of a part meet: mail clients match them without regard to case. */
export const contentIdKey = (cid: string): string => cid.toLowerCase();

/** Of the content ids asked about, by key, those an html refers to by a `cid:` URL (RFC 2392). In one pass. */
export const referredContentIds = (html: string, asked: ReadonlySet<string>): ReadonlySet<string> => {
  const longest = MOST_WRITTEN * Math.max(0, ...[...asked].map((key) => key.length));
  const referred = new Set<string>();
  REFERENCE.lastIndex = 0;
  for (let found = REFERENCE.exec(html); found !== null; found = REFERENCE.exec(html)) {
    const start = REFERENCE.lastIndex;
    const end = endOfReference(html, start, found[1] ?? '');
    REFERENCE.lastIndex = end;
    if (end === start || end - start > longest) continue;
    const written = decodeEntities(html.slice(start, end));
    for (const key of [contentIdKey(written), contentIdKey(decodePercent(written))])
      if (asked.has(key)) referred.add(key);
  }
  return referred;
};

const endOfReference = (html: string, start: number, before: string): number => {
  const end = END_IN[before === '"' || before === "'" ? before : 'bare'];
  end.lastIndex = start;
  return end.exec(html)?.index ?? html.length;
};
