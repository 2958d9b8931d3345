import { LongBase64 } from './long-base64.ts';

/** Base64 as it was received: a string, or, where it is long, the bytes. */
export type Base64Text = string | LongBase64;

export const isBase64Text = (value: unknown): value is Base64Text =>
  typeof value === 'string' || value instanceof LongBase64;

/** How many bytes it encodes. Expects it in one line. */
export const decodedLength = (text: Base64Text): number => {
  if (typeof text === 'string') return Buffer.byteLength(text, 'base64');
  const padding = /=*$/.exec(text.slice(Math.max(0, text.length - 2)))?.[0].length ?? 0;
  return Math.floor(((text.length - padding) * 3) / 4);
};

/** How many bytes it takes as text. */
export const encodedLength = (text: Base64Text): number => text.length;

/** Writes the text, which is ASCII, into a buffer and gives the position behind it. */
export const writeBase64 = (text: Base64Text, into: Buffer, at: number): number => {
  if (typeof text === 'string') return at + into.write(text, at, 'latin1');
  let end = at;
  for (const chunk of text.chunks) {
    into.set(chunk, end);
    end += chunk.byteLength;
  }
  return end;
};

/** The bytes from `start` on, at most `count` of them. Expects it in one line. */
export const decodeRange = (text: Base64Text, start: number, count: number): Buffer => {
  const first = Math.floor(start / 3) * 4;
  const last = Math.ceil((start + count) / 3) * 4;
  const skipped = start % 3;
  return Buffer.from(text.slice(first, last), 'base64').subarray(skipped, skipped + count);
};
