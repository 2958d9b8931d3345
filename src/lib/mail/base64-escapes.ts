const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=';
const IS_BASE64 = new Uint8Array(256);
for (const character of CHARACTERS) IS_BASE64[character.charCodeAt(0)] = 1;

/** By its code. */
export const isBase64Character = (code: number): boolean => IS_BASE64[code] === 1;

const [CR, LF] = [0x0d, 0x0a];

/** A base64 character, or a line break between them. */
export const isBase64OrBreak = (code: number): boolean =>
  code === CR || code === LF || isBase64Character(code);

const HEX = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Reads escapes as serialisers write them into base64: PHP `\/`, .NET `\u002B`, MIME libraries `\r\n`. In numbers, as a text can
 * be nothing but escapes.
 */
export const makeEscapeReader = () => {
  /** How many of its characters have been read. */
  let length = 0;
  let code = 0;
  return {
    begin: (): void => {
      length = 1;
      code = 0;
    },
    forget: (): void => {
      length = 0;
    },
    isBegun: (): boolean => length > 0,
    isFirst: (): boolean => length === 1,
    /** Of the escape that is whole. */
    code: (): number => code,
    /** Takes the next byte of an escape that is begun; `none`: it is not one of these, and is forgotten. */
    next: (byte: number): 'begun' | 'whole' | 'none' => {
      if (length === 1) {
        length = byte === 0x75 ? 2 : 0;
        if (length === 2) return 'begun';
        if (byte === 0x2f) code = byte;
        else if (byte === 0x72) code = CR;
        else if (byte === 0x6e) code = LF;
        else return 'none';
        return 'whole';
      }
      const digit = HEX[byte] ?? -1;
      if (digit === -1) {
        length = 0;
        return 'none';
      }
      code = code * 16 + digit;
      length = length === 5 ? 0 : length + 1;
      return length === 0 ? 'whole' : 'begun';
    },
  };
};

/** Writes the characters in place of their escapes, in the same chunks; true where there are line breaks among them. */
export const decodeEscapes = (chunks: Uint8Array[]): boolean => {
  const reader = makeEscapeReader();
  let hasBreaks = false;
  for (const [index, chunk] of chunks.entries()) {
    let length = 0;
    for (const byte of chunk) {
      if (!reader.isBegun()) {
        if (byte === 0x5c) reader.begin();
        else {
          chunk[length] = byte;
          length += 1;
        }
      } else if (reader.next(byte) === 'whole') {
        const code = reader.code();
        hasBreaks ||= code === CR || code === LF;
        chunk[length] = code;
        length += 1;
      }
    }
    chunks[index] = chunk.subarray(0, length);
  }
  return hasBreaks;
};
