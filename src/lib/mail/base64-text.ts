/** Base64 of a file, without line breaks, as it was received. */
export type Base64Text = string;

export const isBase64Text = (value: unknown): value is Base64Text => typeof value === 'string';

/** How many bytes it encodes. */
export const decodedLength = (text: Base64Text): number => Buffer.byteLength(text, 'base64');

/** How many bytes it takes as text. */
export const encodedLength = (text: Base64Text): number => text.length;

/** Writes the text, which is ASCII, into a buffer and gives the position behind it. */
export const writeBase64 = (text: Base64Text, into: Buffer, at: number): number =>
  at + into.write(text, at, 'latin1');

/** The bytes from `start` on, at most `count` of them. */
export const decodeRange = (text: Base64Text, start: number, count: number): Buffer => {
  const first = Math.floor(start / 3) * 4;
  const last = Math.ceil((start + count) / 3) * 4;
  const skipped = start % 3;
  return Buffer.from(text.slice(first, last), 'base64').subarray(skipped, skipped + count);
};
