import { lineAt } from './line-breaks.ts';
import { fieldValue, type HeaderField, MAX_LINE, readHeader } from './mime-header.ts';

/** A mixed message with inline files and alternatives has three levels; the rest is room. */
const MAX_DEPTH = 20;
/** 250 files, their containers and alternatives. */
const MAX_PARTS = 1000;
/** RFC 2046, 5.1.1: a boundary has at most 70 characters. */
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const MULTIPART = /^multipart\//i;

const DASH = 0x2d;

/** The boundary that a header opens; undefined where it is no multipart; or what was expected. */
const boundaryOf = (fields: readonly HeaderField[]): string | undefined | { readonly expected: string } => {
  const encoding = fieldValue(fields, 'content-transfer-encoding')?.toLowerCase();
  if (encoding === 'binary')
    return { expected: 'base64 for binary parts: lines of binary content do not survive' };
  const type = fieldValue(fields, 'content-type') ?? '';
  if (!MULTIPART.test(type)) return undefined;
  if (encoding === 'base64' || encoding === 'quoted-printable')
    return { expected: 'a multipart without Content-Transfer-Encoding base64 or quoted-printable' };
  const [, quoted, plain] = BOUNDARY.exec(type) ?? [];
  return (
    (quoted ?? plain)?.trimEnd() ?? { expected: 'a boundary of at most 70 characters for each multipart' }
  );
};

const UNCLOSED = 'each multipart closed by its boundary with -- at its end';

const AFTER_END = 'no boundary line after the one that closes its multipart';

/**
 * What is wrong with the body of a message whose header has been read: lines that are too long, and parts that do not nest.
 * Every line is looked at once; an attached message is text here.
 */
export const structureFault = (
  bytes: Buffer,
  fields: readonly HeaderField[],
  bodyAt: number,
): string | undefined => {
  /** Open boundaries with their depth; the innermost is the last. */
  const open = new Map<string, number>();
  /** Behind their end, some readers take another part for one, and others do not. */
  const closed = new Set<string>();
  let parts = 0;
  let number = 0;
  const openOf = (header: readonly HeaderField[]): string | undefined => {
    const boundary = boundaryOf(header);
    if (typeof boundary === 'object') return boundary.expected;
    if (boundary === undefined) return undefined;
    if (open.has(boundary)) return 'a boundary of its own for each multipart';
    if (open.size === MAX_DEPTH) return `parts nested no deeper than ${MAX_DEPTH} levels`;
    open.set(boundary, open.size + 1);
    closed.delete(boundary);
    return undefined;
  };
  const first = openOf(fields);
  if (first !== undefined) return first;
  for (let at = bodyAt; at < bytes.length; ) {
    const line = lineAt(bytes, at);
    const { end } = line;
    number += 1;
    if (end - at > MAX_LINE)
      return `lines of at most ${MAX_LINE} bytes: line ${number} of the body has ${end - at}. Encode the body as quoted-printable or base64`;
    let { next } = line;
    if (open.size + closed.size > 0 && bytes[at] === DASH && bytes[at + 1] === DASH && end - at < 200) {
      const text = bytes.toString('latin1', at + 2, end).trimEnd();
      const isOpening = open.has(text) || closed.has(text);
      const boundary = isOpening ? text : text.endsWith('--') ? text.slice(0, -2) : '';
      if (closed.has(boundary)) return AFTER_END;
      const depth = open.get(boundary);
      if (depth !== undefined) {
        if (depth !== open.size) return UNCLOSED;
        if (!isOpening) {
          open.delete(boundary);
          closed.add(boundary);
        } else {
          parts += 1;
          if (parts > MAX_PARTS) return `at most ${MAX_PARTS} parts`;
          const header = readHeader(bytes, next, line.isBare);
          if ('expected' in header) return `${header.expected} (of part ${parts})`;
          const fault = openOf(header.fields);
          if (fault !== undefined) return fault;
          next = header.bodyAt;
        }
      }
    }
    at = next;
  }
  return open.size > 0 ? UNCLOSED : undefined;
};
