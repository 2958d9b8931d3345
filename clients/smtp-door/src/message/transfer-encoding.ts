/** How the bytes of a part are written (RFC 2045, 6). `undefined` for a way that email does not know, such as uuencode. */
export type TransferEncoding = 'as-is' | 'base64' | 'quoted-printable';

const NAMES: readonly (readonly [RegExp, TransferEncoding])[] = [
  [/^(?:[78]-?bits?|binary)?$/, 'as-is'],
  [/^base-?64$/, 'base64'],
  [/^quoted[- ]printable$/, 'quoted-printable'],
];

/** Reads the value of Content-Transfer-Encoding as devices write it, with comments, quotes and a semicolon. */
export const transferEncodingOf = (value: string): TransferEncoding | undefined => {
  const name = value
    .replaceAll(/\([^()]*\)/g, '')
    .replaceAll(/["';]/g, '')
    .trim()
    .toLowerCase();
  return NAMES.find(([pattern]) => pattern.test(name))?.[1];
};

const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const WRONG = 0xff;
const PADDING = 0xfe;
const BETWEEN = 0xfd;
/** What each byte is in base64. */
const MEANING = new Uint8Array(256).fill(WRONG);
for (const [value, character] of ALPHABET.entries()) MEANING[character] = value;
for (const blank of Buffer.from('\t\r\n ')) MEANING[blank] = BETWEEN;
MEANING['='.charCodeAt(0)] = PADDING;

/**
 * The bytes of base64; undefined where a character is none of base64, or where some are missing. Padding may be missing at the end, if
 * the bits that no byte has are zeros, as encoders write them; and it may be inside, as it is where each line was encoded by itself.
 */
export const decodeBase64 = (bytes: Buffer): Buffer | undefined => {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    const meaning = MEANING[byte] ?? WRONG;
    if (meaning < 64) {
      bits = ((bits << 6) | meaning) & 0xfff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        decoded[to++] = bits >> held;
        bits &= (1 << held) - 1;
      }
    } else if (meaning === PADDING) {
      // Six bits alone are a character without the one that completes its byte.
      if (held === 6) return undefined;
      bits = 0;
      held = 0;
    } else if (meaning === WRONG) return undefined;
  }
  return held === 6 || bits !== 0 ? undefined : decoded.subarray(0, to);
};

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
/** Also the end of the part. */
const isLineEnd = (byte: number | undefined): boolean => byte === undefined || byte === CR || byte === LF;

const hexOf = (bytes: Buffer, at: number): number | undefined => {
  const digits = bytes.toString('latin1', at, at + 2);
  return /^[\da-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : undefined;
};

/**
 * The bytes of quoted-printable (RFC 2045, 6.7): line ends stay as they are, blanks before them were added on the way, and an equals
 * sign that begins nothing stands for itself.
 */
export const decodeQuotedPrintable = (bytes: Buffer): Buffer => {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let to = 0;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    const isEquals = byte === EQUALS;
    const hex = isEquals ? hexOf(bytes, at + 1) : undefined;
    if (hex !== undefined) {
      decoded[to++] = hex;
      at += 3;
    } else if (isEquals || isBlank(byte)) {
      let next = at + 1;
      while (isBlank(bytes[next])) next += 1;
      if (isLineEnd(bytes[next])) {
        if (isEquals) next += bytes[next] === CR && bytes[next + 1] === LF ? 2 : 1;
      } else to += bytes.copy(decoded, to, at, next);
      at = next;
    } else {
      decoded[to++] = byte;
      at += 1;
    }
  }
  return decoded.subarray(0, to);
};
