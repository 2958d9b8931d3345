import { type Address, addressFault, ONE_ADDRESS } from './address.ts';

/** A name of a header line with every character escaped, and an address: more is no recipient, and not read on. */
const MAX_WRITTEN = 2500;

const ANY_FORM = 'name@example.com, Name <name@example.com> or { "name", "address" }';

/** A place of a list that is no recipient, counted from one, and what was expected in it. */
type WrongPlace = { readonly place: number; readonly expected: string };

/** What a text of addresses holds. `places` counts those with something in them. */
export type AddressList = {
  readonly addresses: readonly Address[];
  readonly places: number;
  readonly wrong: readonly WrongPlace[];
};

/** One place as it was read, and where the next begins; undefined where nobody can say. */
type Read = { readonly address: Address; readonly end: number };
type Unread = { readonly expected: string; readonly end?: number };

const isSeparator = (character: string | undefined): boolean => character === ',' || character === ';';

const isSpace = (character: string): boolean =>
  character === ' ' || character === '\t' || (character > '~' && /\s/.test(character));

/**
 * Reads `a@b.c`, `Name <a@b.c>`, `a@b.c (Name)` or a list of them, with commas or, as Outlook has it, semicolons
 * between. Empty places are passed over. Anything else is wrong: nothing of a name or an address is ever dropped.
 * Reads no further than `limit` places.
 *
 * Own code, as it is what strangers write to us first: every character is looked at once, and nothing recurses.
 */
export const readAddresses = (text: string, limit = Number.POSITIVE_INFINITY): AddressList => {
  const addresses: Address[] = [];
  const wrong: WrongPlace[] = [];
  let places = 0;
  let at: number | undefined = 0;
  while (at !== undefined && places < limit) {
    while (isSeparator(text[at]) || isSpace(text.charAt(at))) at += 1;
    if (at >= text.length) break;
    const read = readOne(text, at);
    places += 1;
    if ('address' in read) addresses.push(read.address);
    else wrong.push({ place: places, expected: read.expected });
    at = read.end;
  }
  return { addresses, places, wrong };
};

/** A list that is one group, such as `undisclosed-recipients:;`, is what the group holds (RFC 5322, 3.4). */
export const withoutGroup = (value: string): string => /^[^:;"<>()@,]*:([^:]*);$/.exec(value)?.[1] ?? value;

/** The addresses of a text, or undefined where anything in it is wrong. */
export const parseAddresses = (text: string): readonly Address[] | undefined => {
  const { addresses, wrong } = readAddresses(text);
  return wrong.length === 0 ? addresses : undefined;
};

const NO_FORM: Unread = { expected: ANY_FORM };

const readOne = (text: string, start: number): Read | Unread => {
  let name = '';
  let quoted = false;
  let comment: readonly [from: number, to: number] | undefined;
  let from = start;
  let at = start;
  for (; at < text.length && !isSeparator(text[at]); at += 1) {
    if (at - start > MAX_WRITTEN) return NO_FORM;
    switch (text[at]) {
      case '"': {
        const end = endOfQuotes(text, at);
        if (end === undefined) return NO_FORM;
        name += text.slice(from, at) + unquote(text.slice(at + 1, end));
        quoted = true;
        from = end + 1;
        at = end;
        break;
      }
      case '(': {
        const end = endOfComment(text, at);
        if (end === undefined) return NO_FORM;
        comment = [at, end];
        at = end;
        break;
      }
      case '<':
        return readAngle(text, at, name + text.slice(from, at));
    }
  }
  return quoted ? NO_FORM : readBare(text.slice(start, at), comment && shift(comment, start), at);
};

const shift = ([from, to]: readonly [number, number], by: number) => [from - by, to - by] as const;

/** `<a@b.c>` after its name; nothing but the end of its place may follow. */
const readAngle = (text: string, at: number, name: string): Read | Unread => {
  const close = text.indexOf('>', at);
  if (close === -1) return NO_FORM;
  let end = close + 1;
  while (end < text.length && isSpace(text.charAt(end))) end += 1;
  if (end < text.length && !isSeparator(text[end])) return NO_FORM;
  return toRead(name, text.slice(at + 1, close), end);
};

/** `a@b.c`, or with the name after it in brackets, as mail had it before RFC 5322. */
const readBare = (
  written: string,
  comment: readonly [from: number, to: number] | undefined,
  end: number,
): Read | Unread => {
  if (comment === undefined) return toRead('', written, end);
  const [from, to] = comment;
  if (written.slice(to + 1).trim() !== '') return NO_FORM;
  return toRead(unquote(written.slice(from + 1, to)), written.slice(0, from), end);
};

const toRead = (written: string, writtenAddress: string, end: number): Read | Unread => {
  const name = written.trim();
  const address = writtenAddress.trim();
  const expected = addressFault(address);
  if (expected !== undefined) return { expected: expected.replace(ONE_ADDRESS, ANY_FORM), end };
  return { address: name === '' ? { address } : { name, address }, end };
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
