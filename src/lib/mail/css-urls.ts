const START = /\/\*|["']|url\(/gi;
const STRING_END = { '"': /\\.|["\n]/gs, "'": /\\.|['\n]/gs } as const;
const QUOTED = /\s*(["'])/y;
const BARE = /\s*([^\s"'()]+)\s*\)/y;

/** What `url()` names in CSS, outside of comments and of strings (CSS Syntax 3, 4.3). Goes forward only. */
export function* cssUrls(css: string): Generator<string> {
  START.lastIndex = 0;
  for (let at = 0; ; ) {
    START.lastIndex = at;
    const found = START.exec(css);
    if (found === null) return;
    const [start] = found;
    at = START.lastIndex;
    if (start === '/*') {
      const end = css.indexOf('*/', at);
      if (end === -1) return;
      at = end + 2;
    } else if (start === '"' || start === "'") at = endOfString(css, at, start);
    else {
      QUOTED.lastIndex = at;
      const quote = QUOTED.exec(css)?.[1];
      if (quote === '"' || quote === "'") {
        const from = QUOTED.lastIndex;
        at = endOfString(css, from, quote);
        yield css.slice(from, css[at - 1] === quote ? at - 1 : at);
      } else {
        BARE.lastIndex = at;
        const url = BARE.exec(css)?.[1];
        if (url === undefined) continue;
        at = BARE.lastIndex;
        yield url;
      }
    }
  }
}

/** Just after the quote, or the line end, that ends a string. */
const endOfString = (css: string, start: number, quote: '"' | "'"): number => {
  const end = STRING_END[quote];
  end.lastIndex = start;
  for (let found = end.exec(css); found !== null; found = end.exec(css))
    if (!found[0].startsWith('\\')) return end.lastIndex;
  return css.length;
};
