import * as tools from 'nodemailer/lib/mime-funcs';
import { IS_FIELD, MBOX_LINE, readHeaderBlock, type WrittenField } from './header-block.ts';
import { withLineEnds } from './line-ends.ts';

/** A part with content, and where it is: between its header and the line end before the next boundary. */
export type Leaf = {
  readonly kind: 'leaf';
  readonly fields: readonly WrittenField[];
  /** The lines of its header, with CRLF. */
  readonly header: Buffer;
  /** In small letters, without parameters; empty where none is written. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** In a signed or encrypted multipart. */
  readonly isSealed: boolean;
};

type Multipart = {
  readonly kind: 'multipart';
  /** What comes after `multipart/`. */
  readonly subtype: string;
  readonly children: readonly Part[];
};

export type Part = Leaf | Multipart;

/** As many as the relay takes in a whole message. */
const MAX_PARTS = 1000;
const MAX_DEPTH = 20;
const MAX_HEADER_BYTES = 1_000_000;
const TOO_MANY = 'The message cannot be read: its MIME parts are too many or too deep.';

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

type Line = { readonly end: number; readonly next: number };

/** Lines that end in CRLF, LF or CR: devices mix them. Every byte is looked at once or twice. */
const linesOf = (bytes: Buffer): ((start: number) => Line) => {
  const next = { [CR]: -1, [LF]: -1 };
  const find = (byte: typeof CR | typeof LF, start: number): number => {
    if (next[byte] < start) {
      const found = bytes.indexOf(byte, start);
      next[byte] = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
    return next[byte];
  };
  return (start) => {
    const end = Math.min(find(CR, start), find(LF, start), bytes.length);
    const isCrlf = bytes[end] === CR && bytes[end + 1] === LF;
    return { end, next: Math.min(end + (isCrlf ? 2 : 1), bytes.length) };
  };
};

/** The bytes before a line end that ends at `next`. */
const beforeLineEnd = (bytes: Buffer, start: number, next: number): number => {
  const end = bytes[next - 1] === LF && bytes[next - 2] === CR ? next - 2 : next - 1;
  return Math.max(start, end);
};

const fieldOf = (fields: readonly WrittenField[], key: string): string =>
  fields.find((field) => field.key === key)?.value ?? '';

type Open = { readonly boundary: string; readonly children: Part[]; readonly isSealed: boolean };

/**
 * Takes a message apart, well-formed or not, and with any line ends. Says with a sentence what is wrong where a part would be lost.
 * Nothing is decoded, and nothing is copied but headers.
 */
export const readParts = (bytes: Buffer): Part | string => {
  const lineAt = linesOf(bytes);
  const open: Open[] = [];
  let count = 0;
  let current: Omit<Leaf, 'end'> | undefined;
  let parent: Part[] = [];
  const root = parent;

  const boundaryAt = (at: number, { end }: Line): { depth: number; isEnd: boolean } | undefined => {
    if (open.length === 0 || bytes[at] !== DASH || bytes[at + 1] !== DASH) return undefined;
    const text = bytes.toString('latin1', at + 2, Math.min(end, at + 1000)).replace(/[ \t]*$/, '');
    const depth = open.findLastIndex(({ boundary }) => text === boundary || text === `${boundary}--`);
    return depth === -1 ? undefined : { depth, isEnd: text !== open[depth]?.boundary };
  };

  /** Reads the header at `at`, and returns where what follows it begins. */
  const begin = (at: number): number | string => {
    let line = lineAt(at);
    const isMbox = (): boolean => count === 0 && MBOX_LINE.test(bytes.toString('latin1', at, line.end));
    let to = isMbox() ? line.next : at;
    const start = to;
    let bodyAt: number | undefined;
    while (to < bytes.length && bodyAt === undefined) {
      line = lineAt(to);
      const isContinued = to > start && (bytes[to] === 0x20 || bytes[to] === 0x09);
      if (line.end === to) bodyAt = line.next;
      else if (
        boundaryAt(to, line) === undefined &&
        (isContinued || IS_FIELD.test(bytes.toString('latin1', to, Math.min(line.end, to + 300))))
      )
        to = line.next;
      else break;
    }
    if (to - start > MAX_HEADER_BYTES)
      return `A header of the message has more than ${MAX_HEADER_BYTES} bytes.`;
    const header = withLineEnds(bytes.subarray(start, to));
    const { fields } = readHeaderBlock(header);
    const { value, params } = tools.parseHeaderValue(fieldOf(fields, 'content-type'));
    const type = value.trim().toLowerCase();
    const isSealed = open.at(-1)?.isSealed ?? false;
    count += 1;
    if (count > MAX_PARTS) return TOO_MANY;
    if (!type.startsWith('multipart/')) {
      current = { kind: 'leaf', fields, header, type, start: bodyAt ?? to, isSealed };
      return bodyAt ?? to;
    }
    const { boundary = '' } = params;
    if (boundary === '') return 'A multipart has no boundary, so that its parts cannot be found.';
    if (open.length === MAX_DEPTH) return TOO_MANY;
    const subtype = type.slice('multipart/'.length);
    const children: Part[] = [];
    parent.push({ kind: 'multipart', subtype, children });
    open.push({ boundary, children, isSealed: isSealed || /^(?:signed|encrypted)$/.test(subtype) });
    parent = children;
    current = undefined;
    return bodyAt ?? to;
  };

  const finish = (end: number): void => {
    if (current !== undefined) parent.push({ ...current, end: Math.max(current.start, end) });
    current = undefined;
  };

  let at: number | string = begin(0);
  while (typeof at === 'number' && at < bytes.length && open.length > 0) {
    const line = lineAt(at);
    const boundary = boundaryAt(at, line);
    if (boundary === undefined) {
      at = line.next;
      continue;
    }
    finish(beforeLineEnd(bytes, current?.start ?? 0, at));
    const { depth, isEnd } = boundary;
    open.length = depth + (isEnd ? 0 : 1);
    parent = open.at(-1)?.children ?? [];
    at = isEnd ? line.next : begin(line.next);
  }
  if (typeof at === 'string') return at;
  finish(bytes.length);
  const [top] = root;
  if (top === undefined) return 'The message has no content.';
  return hasEmptyMultipart(top) ? 'A multipart has no parts: its boundary is nowhere in the message.' : top;
};

const hasEmptyMultipart = (part: Part): boolean =>
  part.kind === 'multipart' && (part.children.length === 0 || part.children.some(hasEmptyMultipart));

/** All parts with content, in their order. */
export const leavesOf = (part: Part): readonly Leaf[] =>
  part.kind === 'leaf' ? [part] : part.children.flatMap(leavesOf);
