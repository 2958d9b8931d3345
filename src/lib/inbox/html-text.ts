/** Elements whose content is never shown as text. */
const UNSEEN = new Set(['style', 'script', 'head', 'title', 'template']);

const NAMED_CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

const HIGHEST_CODE_POINT = 0x10ffff;

/**
 * The words of an HTML body, for the snippet and the search; never shown as HTML. It walks forward only: a
 * regular expression over `<style>...</style>` takes quadratic time when the closing tag is missing.
 */
export const textOfHtml = (html: string): string => {
  const lowerCase = html.toLowerCase();
  let text = '';
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    text += html.slice(at, open < 0 ? html.length : open);
    if (open < 0) break;
    const end = endOfMarkup(lowerCase, open);
    if (end < 0) break;
    text += ' ';
    at = end;
  }
  return decodeCharacters(text).replace(/\s+/gu, ' ').trim();
};

/** Where the text goes on after the tag, comment or unseen element that opens at `open`; -1: nowhere. */
const endOfMarkup = (lowerCase: string, open: number): number => {
  if (lowerCase.startsWith('<!--', open)) return after(lowerCase, '-->', open + 4);
  const tag = /^<([a-z][a-z0-9]*)/.exec(lowerCase.slice(open, open + 16))?.[1];
  if (tag === undefined || !UNSEEN.has(tag)) return after(lowerCase, '>', open);
  const close = lowerCase.indexOf(`</${tag}`, open);
  return close < 0 ? -1 : after(lowerCase, '>', close);
};

const after = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
};

const decodeCharacters = (text: string) =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,5}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED_CHARACTERS[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= HIGHEST_CODE_POINT ? String.fromCodePoint(code) : whole;
  });
