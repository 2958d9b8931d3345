import { lineAt } from './line-breaks.ts';

/** One field of a header: its name as written, its value in one line, and where it is in the bytes. */
export type HeaderField = {
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

/** A header, where what comes after its empty line begins, and its lines with that one; or what was expected instead. */
export type ReadHeader = {
  readonly fields: readonly HeaderField[];
  readonly bodyAt: number;
  readonly lines: number;
};
export type WrongMime = { readonly expected: string };

/** RFC 5322, 2.1.1: a line has at most 998 bytes without its CRLF. */
export const MAX_LINE = 998;
/** Five hundred recipients with their names have some 100 KB; Exchange rejects headers that are far larger. */
const MAX_HEADER = 256_000;
/** A message that went through many servers has some hundred. */
const MAX_FIELDS = 1000;
/** RFC 5322, 3.6.8, with nothing between the name and its colon. A boundary line can have a colon too. */
const FIELD = /^(?!--)([!-9;-~]{1,127}):/;

const SPACE = 0x20;
const TAB = 0x09;

const hasRawBytes = (bytes: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7e || (byte < SPACE && byte !== TAB)) return true;
  }
  return false;
};

/**
 * Reads the header that begins at `start` of bytes without a bare CR. All of its lines end in CRLF or all in LF, as `isBareBefore` says
 * where the line before it is known: an application that writes CRLF would take a value with an LF for one line. Every byte is
 * looked at once.
 */
export const readHeader = (bytes: Buffer, start: number, isBareBefore?: boolean): ReadHeader | WrongMime => {
  let kind = isBareBefore;
  const fields: { name: string; lines: string[]; start: number; end: number }[] = [];
  let at = start;
  for (let line = 1; ; line += 1) {
    if (at >= bytes.length) return { expected: 'an empty line between the header and the body' };
    if (at - start > MAX_HEADER) return { expected: `a header of at most ${MAX_HEADER} bytes` };
    const { end, next, isBare } = lineAt(bytes, at);
    const where = `in line ${line} of the header`;
    kind ??= isBare;
    if (next > end && isBare !== kind)
      return {
        expected: `CRLF at the end of every line of a header, or LF at the end of every line: ${where}, it changes`,
      };
    if (end === at)
      return {
        fields: fields.map(({ lines, ...field }) => ({ ...field, value: lines.join(' ').trim() })),
        bodyAt: next,
        lines: line,
      };
    if (end - at > MAX_LINE)
      return { expected: `lines of at most ${MAX_LINE} bytes: ${where}, fold the field over several lines` };
    if (hasRawBytes(bytes, at, end))
      return {
        expected: `printable ASCII ${where}: write other characters as encoded words (RFC 2047) or parameters (RFC 2231)`,
      };
    const text = bytes.toString('latin1', at, end);
    const isContinued = bytes[at] === SPACE || bytes[at] === TAB;
    const field = fields.at(-1);
    if (isContinued) {
      if (field === undefined || text.trim() === '')
        return { expected: `a field such as Subject: text ${where}, not a line that begins with a blank` };
      field.lines.push(text.trim());
      field.end = next;
    } else {
      const name = FIELD.exec(text)?.[1];
      if (fields.length === MAX_FIELDS) return { expected: `a header of at most ${MAX_FIELDS} fields` };
      if (name === undefined) return { expected: `a field such as Subject: text ${where}` };
      fields.push({ name, lines: [text.slice(name.length + 1).trim()], start: at, end: next });
    }
    at = next;
  }
};

/** The value of a field, by its name in small letters. */
export const fieldValue = (fields: readonly HeaderField[], key: string): string | undefined =>
  fields.find(({ name }) => name.toLowerCase() === key)?.value;
