const PADDING = 0x3d;

const IS_DIGIT = new Uint8Array(256);
for (const digit of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'))
  IS_DIGIT[digit] = 1;

/** The base64 of a part, line by line. */
export type Base64Lines = {
  /** True for a line of base64, with padding at the end of the part alone. */
  readonly take: (bytes: Buffer, start: number, end: number) => boolean;
  /** True where nothing is missing: base64 comes in groups of four. */
  readonly isWhole: () => boolean;
};

/** Checks the base64 of one part: what else stands in it, some readers skip and others take for its end. */
export const base64Lines = (): Base64Lines => {
  let digits = 0;
  let padding = 0;
  return {
    take: (bytes, start, end) => {
      for (let at = start; at < end; at += 1) {
        const byte = bytes[at] ?? 0;
        if (byte === PADDING) padding += 1;
        else if (IS_DIGIT[byte] !== 1 || padding > 0) return false;
        else digits += 1;
      }
      return padding <= 2;
    },
    isWhole: () => (digits + padding) % 4 === 0,
  };
};
