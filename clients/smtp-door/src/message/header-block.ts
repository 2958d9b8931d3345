import { lineAt } from '../../../../src/lib/mail/line-breaks.ts';
import { decodeText } from './decode-text.ts';

/** A field as it was written, well or not. */
export type WrittenField = {
  readonly name: string;
  readonly key: string;
  /** In one line, with raw 8-bit characters decoded. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
  /** Why it cannot stay as it is: raw characters, lines that are too long, blanks where none are allowed. */
  readonly isMalformed: boolean;
};

/** A header, and what has to be replaced between its fields. */
export type HeaderBlock = {
  readonly fields: readonly WrittenField[];
  /** Lines that belong to no field. */
  readonly stray: readonly { readonly start: number; readonly end: number }[];
  /** Where the empty line is, or belongs. */
  readonly end: number;
  readonly bodyAt: number;
};

const SPACE = 0x20;
const TAB = 0x09;
/** RFC 5322, 2.1.1. */
const MAX_LINE = 998;
/** The name and the colon at the beginning of a field. */
export const IS_FIELD = /^([!-9;-~]{1,127})([ \t]*):/;
/** The first line of a message in a mailbox file of Unix. */
export const MBOX_LINE = /^>?From /;

const isClean = (bytes: Buffer): boolean =>
  bytes.every((byte) => byte === TAB || (byte >= SPACE && byte < 0x7f));

/**
 * Reads a header as devices write it, from bytes with CRLF: without an empty line after it, with raw characters, with blanks before a
 * colon. What is no field ends it.
 */
export const readHeaderBlock = (bytes: Buffer): HeaderBlock => {
  const fields: { name: string; lines: Buffer[]; start: number; end: number; isMalformed: boolean }[] = [];
  const stray: { start: number; end: number }[] = [];
  let at = 0;
  let bodyAt: number | undefined;
  while (at < bytes.length && bodyAt === undefined) {
    const { end, next } = lineAt(bytes, at);
    const line = bytes.subarray(at, end);
    const isContinued = line[0] === SPACE || line[0] === TAB;
    const field = fields.at(-1);
    if (line.length === 0) bodyAt = next;
    else if (isContinued && field !== undefined) {
      const isBlank = line.every((byte) => byte === SPACE || byte === TAB);
      field.lines.push(line);
      field.end = next;
      field.isMalformed ||= isBlank || line.length > MAX_LINE || !isClean(line);
    } else {
      const [, name, blanks] = IS_FIELD.exec(line.toString('latin1')) ?? [];
      if (name !== undefined)
        fields.push({
          name,
          lines: [line.subarray(name.length + (blanks?.length ?? 0) + 1)],
          start: at,
          end: next,
          isMalformed: blanks !== '' || line.length > MAX_LINE || !isClean(line),
        });
      else if (fields.length === 0 && MBOX_LINE.test(line.toString('latin1')))
        stray.push({ start: at, end: next });
      else break;
    }
    if (bodyAt === undefined) at = next;
  }
  return {
    fields: fields.map(({ lines, name, start, end, isMalformed }) => ({
      name,
      key: name.toLowerCase(),
      value: decodeText(Buffer.concat(lines))
        .replaceAll(/[\t ]+/g, ' ')
        .trim(),
      start,
      end,
      isMalformed,
    })),
    stray,
    end: at,
    bodyAt: bodyAt ?? at,
  };
};
