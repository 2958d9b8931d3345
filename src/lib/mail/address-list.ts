import { type Address, isAddress } from './address.ts';

/** A name of a header line with every character escaped, and an address: more is no recipient, and not read on. */
const MAX_WRITTEN = 2500;

/** An address as it was read, and where the next begins. */
type Read = Address & { readonly end: number };

const isSeparator = (character: string | undefined): boolean => character === ',' || character === ';';

const isSpace = (character: string): boolean =>
  character === ' ' || character === '\t' || (character > '~' && /\s/.test(character));

/**
 * Reads `a@b.c`, `Name <a@b.c>`, `a@b.c (Name)` or a list of them, with commas or, as Outlook has it, semicolons
 * between. Empty places are passed over. Gives undefined for anything else: nothing of a name or an address is
 * ever dropped. Reads no further than `limit` addresses.
 *
 * Own code, as it is what strangers write to us first: every character is looked at once, and nothing recurses.
 */
export const parseAddresses = (
  text: string,
  limit = Number.POSITIVE_INFINITY,
): readonly Address[] | undefined => {
  const addresses: Address[] = [];
  let at = 0;
  while (addresses.length < limit) {
    while (isSeparator(text[at]) || isSpace(text.charAt(at))) at += 1;
    if (at >= text.length) break;
    const read = readOne(text, at);
    if (read === undefined) return undefined;
    const { end, ...address } = read;
    addresses.push(address);
    at = end;
  }
  return addresses;
};

const readOne = (text: string, start: number): Read | undefined => {
  let name = '';
  let quoted = false;
  let comment: readonly [from: number, to: number] | undefined;
  let from = start;
  let at = start;
  for (; at < text.length && !isSeparator(text[at]); at += 1) {
    if (at - start > MAX_WRITTEN) return undefined;
    switch (text[at]) {
      case '"': {
        const end = endOfQuotes(text, at);
        if (end === undefined) return undefined;
        name += text.slice(from, at) + unquote(text.slice(at + 1, end));
        quoted = true;
        from = end + 1;
        at = end;
        break;
      }
      case '(': {
        const end = endOfComment(text, at);
        if (end === undefined) return undefined;
        comment = [at, end];
        at = end;
        break;
      }
      case '<':
        return readAngle(text, at, name + text.slice(from, at));
    }
  }
  return quoted ? undefined : readBare(text.slice(start, at), comment && shift(comment, start), at);
};

const shift = ([from, to]: readonly [number, number], by: number) => [from - by, to - by] as const;

/** `<a@b.c>` after its name; nothing but the end of its place may follow. */
const readAngle = (text: string, at: number, name: string): Read | undefined => {
  const close = text.indexOf('>', at);
  if (close === -1) return undefined;
  let end = close + 1;
  while (end < text.length && isSpace(text.charAt(end))) end += 1;
  if (end < text.length && !isSeparator(text[end])) return undefined;
  return toRead(name, text.slice(at + 1, close), end);
};

/** `a@b.c`, or with the name after it in brackets, as mail had it before RFC 5322. */
const readBare = (
  written: string,
  comment: readonly [from: number, to: number] | undefined,
  end: number,
): Read | undefined => {
  if (comment === undefined) return toRead('', written, end);
  const [from, to] = comment;
  if (written.slice(to + 1).trim() !== '') return undefined;
  return toRead(unquote(written.slice(from + 1, to)), written.slice(0, from), end);
};

const toRead = (written: string, writtenAddress: string, end: number): Read | undefined => {
  const name = written.trim();
  const address = writtenAddress.trim();
  if (!isAddress(address)) return undefined;
  return name === '' ? { address, end } : { name, address, end };
};

const endOfQuotes = (text: string, start: number): number | undefined => {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return undefined;
};

const endOfComment = (text: string, start: number): number | undefined => {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
};

const unquote = (quoted: string): string => quoted.replace(/\\(.)/gs, '$1');
