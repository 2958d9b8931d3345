const CR = 0x0d;
const LF = 0x0a;

/**
 * True for bytes with a CR that no LF follows. It ends a line for some readers and not for others, so nobody knows what the
 * header says; no library writes it.
 */
export const hasBareCr = (bytes: Buffer): boolean => {
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 2))
    if (bytes[at + 1] !== LF) return true;
  return false;
};

/** True for the LF of a line that ends in CRLF. */
const isAfterCr = (bytes: Buffer, at: number): boolean => bytes[at - 1] === CR;

const countBareLf = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1))
    if (!isAfterCr(bytes, at)) count += 1;
  return count;
};

/**
 * The bytes, which have no bare CR, with CRLF at the end of every line: SMTP knows no other line end, and Exchange rejects a
 * message with a bare LF. Libraries on Linux write such messages, and every mail program that takes one does the same.
 */
export const withCrlf = (bytes: Buffer): Buffer => {
  const bare = countBareLf(bytes);
  if (bare === 0) return bytes;
  const mended = Buffer.allocUnsafe(bytes.length + bare);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === LF && !isAfterCr(bytes, at)) mended[to++] = CR;
    mended[to++] = byte;
  }
  return mended;
};

/** A line without its line end, where the next one begins, and whether it ends in LF alone. */
export type Line = { readonly end: number; readonly next: number; readonly isBare: boolean };

/** The line that begins at `start`; the rest of the bytes where none ends. */
export const lineAt = (bytes: Buffer, start: number): Line => {
  const lf = bytes.indexOf(LF, start);
  if (lf === -1) return { end: bytes.length, next: bytes.length, isBare: false };
  const isBare = lf === start || !isAfterCr(bytes, lf);
  return { end: isBare ? lf : lf - 1, next: lf + 1, isBare };
};

/** Text with CRLF at the end of every line, which is the form of text in MIME (RFC 2046, 4.1.1). */
export const textWithCrlf = (text: string): string => text.replaceAll(/\r\n|\r|\n/g, '\r\n');
