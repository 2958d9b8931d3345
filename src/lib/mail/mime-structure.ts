import { type Base64Lines, base64Lines } from './base64-lines.ts';
import { lineAt } from './line-breaks.ts';
import { type HeaderField, MAX_LINE, readHeader } from './mime-header.ts';
import { readPartHeader, repeatedField } from './part-header.ts';

/** A mixed message with inline files and alternatives has three levels; the rest is room. */
const MAX_DEPTH = 20;
/** 250 files, their containers and alternatives. */
const MAX_PARTS = 1000;
const DASH = 0x2d;

const UNCLOSED = 'each multipart closed by its boundary with -- at its end';

const notWhole = (line: number): string =>
  `base64 in groups of four characters: the part that ends at line ${line} of the body has a group of fewer`;

/** RFC 2046, 5.1.1: blanks that were added on the way. */
const BLANKS_AT_END = /(?<![ \t])[ \t]+$/;

const AFTER_END = 'no boundary line after the one that closes its multipart';

/**
 * What is wrong with the body of a message whose header has been read: lines that are too long, and parts that do not nest.
 * Every line is looked at once; an attached message is text here. `onPart` hears of the header of the message and of each part,
 * and where what follows it begins.
 */
export const structureFault = (
  bytes: Buffer,
  fields: readonly HeaderField[],
  bodyAt: number,
  onPart: (fields: readonly HeaderField[], bodyAt: number) => void = () => {},
): string | undefined => {
  /** Open boundaries with their depth; the innermost is the last. */
  const open = new Map<string, number>();
  /** Behind their end, some readers take another part for one, and others do not. */
  const closed = new Set<string>();
  let parts = 0;
  let number = 0;
  /** Of the part that is read, where it is in base64. */
  let base64: Base64Lines | undefined;
  const openOf = (header: readonly HeaderField[], partAt: number): string | undefined => {
    onPart(header, partAt);
    const part = readPartHeader(bytes, header);
    if ('expected' in part) return part.expected;
    const { boundary, isBase64 } = part;
    base64 = isBase64 ? base64Lines() : undefined;
    if (boundary === undefined) return undefined;
    if (open.has(boundary)) return 'a boundary of its own for each multipart';
    if (open.size === MAX_DEPTH) return `parts nested no deeper than ${MAX_DEPTH} levels`;
    open.set(boundary, open.size + 1);
    closed.delete(boundary);
    return undefined;
  };
  const first = openOf(fields, bodyAt);
  if (first !== undefined) return first;
  for (let at = bodyAt; at < bytes.length; ) {
    const line = lineAt(bytes, at);
    const { end } = line;
    number += 1;
    if (end - at > MAX_LINE)
      return `lines of at most ${MAX_LINE} bytes: line ${number} of the body has ${end - at}. Encode the body as quoted-printable or base64`;
    let { next } = line;
    let isBoundary = false;
    if (open.size + closed.size > 0 && bytes[at] === DASH && bytes[at + 1] === DASH) {
      const text = bytes.toString('latin1', at + 2, end).replace(BLANKS_AT_END, '');
      const isOpening = open.has(text) || closed.has(text);
      const boundary = isOpening ? text : text.endsWith('--') ? text.slice(0, -2) : '';
      if (closed.has(boundary)) return AFTER_END;
      const depth = open.get(boundary);
      if (depth !== undefined) {
        if (depth !== open.size) return UNCLOSED;
        if (base64?.isWhole() === false) return notWhole(number);
        base64 = undefined;
        isBoundary = true;
        if (!isOpening) {
          open.delete(boundary);
          closed.add(boundary);
        } else {
          parts += 1;
          if (parts > MAX_PARTS) return `at most ${MAX_PARTS} parts`;
          const header = readHeader(bytes, next, line.isBare);
          if ('expected' in header) return `${header.expected} (of part ${parts})`;
          const repeated = repeatedField(header.fields);
          if (repeated !== undefined) return `the header ${repeated} once (of part ${parts})`;
          const fault = openOf(header.fields, header.bodyAt);
          if (fault !== undefined) return fault;
          next = header.bodyAt;
          number += header.lines;
        }
      }
    }
    if (!isBoundary && base64?.take(bytes, at, end) === false)
      return `base64 in a part that says so, with padding only at its end: line ${number} of the body has something else`;
    at = next;
  }
  if (base64?.isWhole() === false) return notWhole(number);
  return open.size > 0 ? UNCLOSED : undefined;
};
