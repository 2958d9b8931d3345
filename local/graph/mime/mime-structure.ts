import { GraphError } from '../graph-error.ts';

/** RFC 5322 section 2.1.1. */
const LONGEST_LINE = 998;
/** A message of 3 MB in lines of 76 has 40,000. The parser takes 50 µs for a line, so that millions would stop the stand-in. */
const MOST_LINES = 100_000;
/** Field names of RFC 5322 section 3.6.8, and the beginning of a continued line. */
const FIELD = /^([\x21-\x39\x3b-\x7e]+):/;
const CONTINUED = /^[ \t]/;
const EIGHT_BIT = /[\x80-\xff]/;
const BOUNDARY = /;\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

/** What MIME must be like before it is worth parsing, stricter than Exchange: mail servers on the way change or refuse the rest. */
export const requireMimeStructure = (mime: Buffer): void => {
  if (mime.length === 0) throw malformed('it is empty');
  const lines = readLines(mime);
  const boundaries = new Map<string, { closed: boolean }>();
  let at = requireHeaders(lines, 0, boundaries, 'message');
  for (; at < lines.length; at += 1) {
    const found = boundaryOf(lines[at] ?? '', boundaries);
    if (found === undefined) continue;
    if (found.closes) found.boundary.closed = true;
    else at = requireHeaders(lines, at + 1, boundaries, 'part') - 1;
  }
  if ([...boundaries.values()].some(({ closed }) => !closed))
    throw malformed('a multipart has no closing boundary line');
};

/** By byte, as `latin1`: what is not ASCII stays visible. */
const readLines = (mime: Buffer): readonly string[] => {
  const text = mime.toString('latin1');
  if (/\r(?!\n)|(?<!\r)\n/.test(text))
    throw malformed('it has a bare LF or CR (Exchange: 550 5.6.11); expected CRLF at the end of every line');
  if (text.includes('\0')) throw malformed('it has a NUL byte');
  const lines = text.split('\r\n');
  if (lines.length > MOST_LINES)
    throw malformed(
      `it has ${lines.length} lines; this stand-in reads at most ${MOST_LINES}, a limit that Exchange does not have. Use base64 for the body`,
    );
  const tooLong = lines.findIndex((line) => line.length > LONGEST_LINE);
  if (tooLong >= 0)
    throw malformed(
      `line ${tooLong + 1} has ${lines[tooLong]?.length} bytes; expected at most ${LONGEST_LINE}. Fold it, or use base64 or quoted-printable`,
    );
  return lines;
};

/** Checks the header that begins at this line and returns the line after the empty one that ends it. */
const requireHeaders = (
  lines: readonly string[],
  start: number,
  boundaries: Map<string, { closed: boolean }>,
  of: 'message' | 'part',
): number => {
  const end = lines.indexOf('', start);
  // The last element is what follows the last CRLF: an empty line there is none.
  if (end < 0 || end === lines.length - 1)
    throw malformed(`the header of a ${of} does not end with an empty line`);
  const fields: string[] = [];
  for (let at = start; at < end; at += 1) {
    const line = lines[at] ?? '';
    if (EIGHT_BIT.test(line))
      throw malformed(
        `line ${at + 1} has raw 8-bit characters in a header; expected encoded words (RFC 2047)`,
      );
    if (CONTINUED.test(line) && fields.length > 0) fields.push(`${fields.pop()}${line}`);
    else if (FIELD.test(line)) fields.push(line);
    else throw malformed(`line ${at + 1} is not a header field; expected 'Name: value'`);
  }
  if (of === 'message' && fields.length === 0) throw malformed('it has no header');
  const contentType = fields.find((field) => /^content-type:/i.test(field));
  if (contentType !== undefined && /^content-type:\s*multipart\//i.test(contentType)) {
    const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
    const boundary = (quoted ?? plain)?.trimEnd();
    if (boundary === undefined) throw malformed('a multipart has no boundary');
    boundaries.set(boundary, { closed: false });
  }
  return end + 1;
};

const boundaryOf = (line: string, boundaries: ReadonlyMap<string, { closed: boolean }>) => {
  if (!line.startsWith('--')) return undefined;
  const name = line.slice(2).trimEnd();
  const opened = boundaries.get(name);
  if (opened !== undefined) return { boundary: opened, closes: false };
  const closed = name.endsWith('--') ? boundaries.get(name.slice(0, -2)) : undefined;
  return closed && { boundary: closed, closes: true };
};

/** Code after EWS: https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode */
export const malformed = (reason: string) =>
  new GraphError(400, 'ErrorMimeContentInvalid', `The MIME content is not valid: ${reason}.`);
