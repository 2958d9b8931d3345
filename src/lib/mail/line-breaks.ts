const CR = 0x0d;
const LF = 0x0a;

/** How many CRs and LFs stand alone. */
const countBare = (bytes: Uint8Array): number => {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === LF) count += 1;
    else if (byte === CR) {
      if (bytes[at + 1] === LF) at += 1;
      else count += 1;
    }
  }
  return count;
};

/**
 * The bytes with CRLF at the end of every line: SMTP knows no other line end, and Exchange rejects a message with a bare LF.
 * Libraries on Linux write such messages, and every mail program that takes one does the same.
 */
export const withCrlf = (bytes: Buffer): Buffer => {
  const bare = countBare(bytes);
  if (bare === 0) return bytes;
  const mended = Buffer.allocUnsafe(bytes.length + bare);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte !== CR && byte !== LF) mended[to++] = byte;
    else {
      if (byte === CR && bytes[at + 1] === LF) at += 1;
      mended[to++] = CR;
      mended[to++] = LF;
    }
  }
  return mended;
};

/** Text with CRLF at the end of every line, which is the form of text in MIME (RFC 2046, 4.1.1). */
export const textWithCrlf = (text: string): string => text.replaceAll(/\r\n|\r|\n/g, '\r\n');
