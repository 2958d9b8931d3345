const CR = 0x0d;
const LF = 0x0a;

/** Bytes that stay as they are. */
export type Range = { readonly start: number; readonly end: number };

/** How many line ends of the bytes are a CR or an LF alone. */
const countBare = (bytes: Buffer): number => {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1))
    if (bytes[at - 1] !== CR) count += 1;
  for (let at = bytes.indexOf(CR); at !== -1; at = bytes.indexOf(CR, at + 1))
    if (bytes[at + 1] !== LF) count += 1;
  return count;
};

/** True for bytes with a CR or an LF that does not belong to a CRLF. */
export const hasBareLineEnds = (bytes: Buffer): boolean => countBare(bytes) > 0;

/** The bytes with CRLF for every line end, which is the only one that email knows (RFC 5322, 2.3). The same bytes where that is so. */
export const withLineEnds = (bytes: Buffer): Buffer => {
  const bare = countBare(bytes);
  if (bare === 0) return bytes;
  const mended = Buffer.allocUnsafe(bytes.length + bare);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === LF && bytes[at - 1] !== CR) mended[to++] = CR;
    mended[to++] = byte;
    if (byte === CR && bytes[at + 1] !== LF) mended[to++] = LF;
  }
  return mended;
};

/** The same outside of ranges, which are in their order and begin and end where a line does. */
export const withLineEndsOutside = (bytes: Buffer, ranges: readonly Range[]): Buffer => {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end } of ranges) {
    pieces.push(withLineEnds(bytes.subarray(at, start)), bytes.subarray(start, end));
    at = end;
  }
  return pieces.length === 0
    ? withLineEnds(bytes)
    : Buffer.concat([...pieces, withLineEnds(bytes.subarray(at))]);
};
