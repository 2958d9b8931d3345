import type { Base64Text } from './base64-text.ts';
import type { LongBase64 } from './long-base64.ts';
import type { Fault } from './text-rules.ts';

const wrong = (expected: string): Fault => ({ code: 'BASE64_INVALID', expected });

/** Without the line breaks that MIME libraries write into base64 (RFC 2045, 6.8). Graph takes it in one line. */
export const inOneLine = <Text extends Base64Text>(written: Text): Text => {
  if (typeof written !== 'string') return written.withoutBreaks() as Text;
  return (/[\r\n]/.test(written) ? written.replace(/[\r\n]+/g, '') : written) as Text;
};

/** The fault of what should be base64, with the mistake that makes it none. In a few native passes. */
export const base64Fault = (written: Base64Text): Fault | undefined =>
  typeof written === 'string' ? faultOfText(inOneLine(written)) : faultOfLong(inOneLine(written));

const faultOfText = (text: string): Fault | undefined => {
  if (isAsEncoded(text)) return undefined;
  if (/^\s*data:/i.test(text)) return wrong('base64 only, without the prefix `data:...;base64,`');
  if (/^b['"]/.test(text))
    return wrong('base64 as text, not a Python bytes literal: base64.b64encode(content).decode()');
  if (/[^\w+/=-]/.test(text)) return wrong('standard base64, which has only letters, digits, +, / and =');
  if (/[-_]/.test(text)) return wrong('standard base64 with + and /, not base64url with - and _');
  const first = text.indexOf('=');
  const letters = first === -1 ? text.length : first;
  return paddingFault(letters, text.length, !/[^=]/.test(text.slice(letters)));
};

/** No character of it is wrong, so that its end says all. */
const faultOfLong = (text: LongBase64): Fault | undefined => {
  const first = text.indexOf('=');
  const letters = first === -1 ? text.length : first;
  const whole = 4 * Math.floor(letters / 4);
  const tail = text.slice(whole, whole + 5);
  if (text.length - whole <= 4 && (tail === '' || isAsEncoded(tail))) return undefined;
  return paddingFault(letters, text.length, isPadding(text.range(letters, text.length)));
};

const isAsEncoded = (text: string): boolean => Buffer.from(text, 'base64').toString('base64') === text;

const PADDING = '='.charCodeAt(0);

const isPadding = (chunks: readonly Uint8Array[]): boolean =>
  chunks.every((chunk) => chunk.every((byte) => byte === PADDING));

/** RFC 4648, 4: four characters for three bytes, and the last four filled with `=`. */
const paddingFault = (letters: number, length: number, isPadded: boolean): Fault => {
  if (!isPadded) return wrong('standard base64, with padding only at the end');
  if (letters % 4 === 1) return wrong('complete base64: some of its characters are missing');
  if (length !== Math.ceil(letters / 4) * 4)
    return wrong(`standard base64 with all of its padding, here ${(4 - (letters % 4)) % 4} times =`);
  return wrong(
    'base64 as an encoder writes it: the last character before the padding is not one that an encoder produces here',
  );
};

/** Kinds of files that cannot begin with so many letters and digits and nothing else. */
const NEVER_BASE64 = /\.(pdf|png|jpe?g|gif|webp|zip|docx?|xlsx?|pptx?|html?|xml|csv|json|ics)$/i;
const LOOKED_AT = 64;

/** The fault of a file that was encoded a second time: it would arrive as something nobody can open. */
export const encodedTwiceFault = (filename: string, content: Base64Text): Fault | undefined => {
  if (!NEVER_BASE64.test(filename)) return undefined;
  const start = Buffer.from(content.slice(0, 4 * LOOKED_AT), 'base64').subarray(0, LOOKED_AT);
  if (start.length < LOOKED_AT || /[^\w+/]/.test(start.toString('latin1'))) return undefined;
  return wrong('the file encoded once: this is base64 of base64');
};
