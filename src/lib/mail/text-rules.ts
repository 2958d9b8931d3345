import type { ErrorCode } from '../error-catalogue.ts';

/** What is wrong with a value: the code, and what was expected instead. */
export type Fault = { readonly code: ErrorCode; readonly expected: string };

/** RFC 5322, 2.1.1: a header line has at most 998 characters. */
export const MAX_HEADER_LINE = 998;

export const MALFORMED: Fault = {
  code: 'TEXT_MALFORMED',
  expected: 'well-formed Unicode without lone surrogates',
};

/** Line breaks of every kind, U+2028 and U+2029 among them: a header ends where any reader sees a line end. */
const BREAKS_A_LINE = /[^\P{Cc}\t]|[\u2028\u2029]/u;

/**
 * What XML 1.0 cannot carry (2.2): Exchange keeps and moves mail as XML inside, and has answered 500 to these
 * characters, which would leave nobody knowing whether the mail was sent.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const NOT_CARRIED = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** Embeddings, overrides and isolates: `gpj.exe` shows as `exe.jpg` behind one (Unicode TR 36, 2.5). */
const TURNS_TEXT_ROUND = /[\u202a-\u202e\u2066-\u2069]/;

const longerThan = (max: number): Fault => ({
  code: 'FIELD_INVALID',
  expected: `at most ${max} characters`,
});

/** The fault of a body, which may have lines. */
export const bodyFault = (text: string): Fault | undefined => {
  if (!text.isWellFormed()) return MALFORMED;
  if (NOT_CARRIED.test(text))
    return {
      code: 'CHARACTER_NOT_ALLOWED',
      expected: 'text without control characters other than tab and line breaks',
    };
  return undefined;
};

/** The fault of a value that becomes a mail header, in which a line break would begin a header of the caller's own. */
export const lineFault = (text: string, max = MAX_HEADER_LINE): Fault | undefined => {
  if (text.length > max) return longerThan(max);
  if (!text.isWellFormed()) return MALFORMED;
  if (BREAKS_A_LINE.test(text))
    return { code: 'LINE_BREAK_NOT_ALLOWED', expected: 'one line of text without control characters' };
  if (NOT_CARRIED.test(text))
    return { code: 'CHARACTER_NOT_ALLOWED', expected: 'text without the noncharacters U+FFFE and U+FFFF' };
  return undefined;
};

/**
 * What shows nothing by itself, in the places where it belongs to what is shown (UTS 51; UAX 31, 2.3): joiners inside
 * emoji and words of other scripts than Latin, what chooses a variant of such a character, and the letters of a flag.
 */
const SHOWN_WITH_OTHERS = [
  /(?<=[[\p{L}\p{M}\p{Emoji}]--[\p{sc=Latin}\p{ASCII}]])[\u200c\u200d](?=[[\p{L}\p{M}\p{Emoji}]--[\p{sc=Latin}\p{ASCII}]])/gv,
  /(?<=[[\p{L}\p{Emoji}\p{S}]--[\p{sc=Latin}\p{ASCII}]])[\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gv,
  /(?<=[0-9#*])\ufe0f(?=\u20e3)/gv,
  /(?<=\u{1f3f4}[\u{e0020}-\u{e007e}]*)[\u{e0020}-\u{e007f}]/gv,
];
const SHOWS_NOTHING = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** The fault of the name of a file: what is not seen would make two names out of what people take for one. */
export const fileNameFault = (text: string, max: number): Fault | undefined =>
  nameFault(text, max) ??
  (SHOWS_NOTHING.test(SHOWN_WITH_OTHERS.reduce((rest, shown) => rest.replace(shown, ''), text))
    ? { code: 'CHARACTER_NOT_ALLOWED', expected: 'a name without invisible characters' }
    : undefined);

/** The fault of what people trust at a glance, the name of a person or of a file: it reads as it is written. */
export const nameFault = (text: string, max = MAX_HEADER_LINE): Fault | undefined =>
  lineFault(text, max) ??
  (TURNS_TEXT_ROUND.test(text)
    ? {
        code: 'CHARACTER_NOT_ALLOWED',
        expected: 'a name without characters that change the direction of writing',
      }
    : undefined);
