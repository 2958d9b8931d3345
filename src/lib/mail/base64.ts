import type { Fault } from './text-rules.ts';

const wrong = (expected: string): Fault => ({ code: 'BASE64_INVALID', expected });

/** Without the line breaks that MIME libraries write into base64 (RFC 2045, 6.8). Graph takes it in one line. */
export const inOneLine = (written: string): string =>
  /[\r\n]/.test(written) ? written.replace(/[\r\n]+/g, '') : written;

/** The fault of what should be base64, with the mistake that makes it none. In a few native passes. */
export const base64Fault = (written: string): Fault | undefined => {
  const text = inOneLine(written);
  if (Buffer.from(text, 'base64').toString('base64') === text) return undefined;
  if (/^\s*data:/i.test(text)) return wrong('base64 only, without the prefix `data:...;base64,`');
  if (/^b['"]/.test(text))
    return wrong('base64 as text, not a Python bytes literal: base64.b64encode(content).decode()');
  if (/[^\w+/=-]/.test(text)) return wrong('standard base64, which has only letters, digits, +, / and =');
  if (/[-_]/.test(text)) return wrong('standard base64 with + and /, not base64url with - and _');
  return paddingFault(text);
};

/** RFC 4648, 4: four characters for three bytes, and the last four filled with `=`. */
const paddingFault = (text: string): Fault => {
  const first = text.indexOf('=');
  const letters = first === -1 ? text.length : first;
  if (/[^=]/.test(text.slice(letters))) return wrong('standard base64, with padding only at the end');
  if (letters % 4 === 1) return wrong('complete base64: some of its characters are missing');
  if (text.length !== Math.ceil(letters / 4) * 4)
    return wrong(`standard base64 with all of its padding, here ${(4 - (letters % 4)) % 4} times =`);
  return wrong(
    'base64 as an encoder writes it: the last character before the padding is not one that an encoder produces here',
  );
};

/** Kinds of files that cannot begin with so many letters and digits and nothing else. */
const NEVER_BASE64 = /\.(pdf|png|jpe?g|gif|webp|zip|docx?|xlsx?|pptx?|html?|xml|csv|json|ics)$/i;
const LOOKED_AT = 64;

/** The fault of a file that was encoded a second time: it would arrive as something nobody can open. */
export const encodedTwiceFault = (filename: string, content: string): Fault | undefined => {
  if (!NEVER_BASE64.test(filename)) return undefined;
  const start = Buffer.from(content.slice(0, 4 * LOOKED_AT), 'base64').subarray(0, LOOKED_AT);
  if (start.length < LOOKED_AT || /[^\w+/]/.test(start.toString('latin1'))) return undefined;
  return wrong('the file encoded once: this is base64 of base64');
};
