import * as tools from 'nodemailer/lib/mime-funcs';
import type { Address } from '../../../../src/lib/mail/address.ts';
import { addressHeader } from '../../../../src/lib/sending/mime-words.ts';

/** RFC 5322, 2.1.1 wants 78 where it can be had, and allows 998. */
const LINE = 78;
const MAX_LINE = 998;
/** RFC 2047, 2: 75 characters with the frame. */
const LONGEST_WORD = 63;

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

/** A field of addresses, folded; nothing where there are none. */
export const writtenAddresses = (name: string, addresses: readonly Address[]): string =>
  addressHeader(tools, name, addresses);

const encodedWords = (text: string): string => tools.encodeWord(text, 'B', LONGEST_WORD);

/** Words in lines. Undefined where one is too long for any line. */
const folded = (name: string, value: string): string | undefined => {
  const lines = [`${name}:`];
  for (const word of value.split(' ').filter((one) => one !== '')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 <= LINE || (lines.length === 1 && line === `${name}:`))
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(` ${word}`);
  }
  return lines.every((line) => line.length <= MAX_LINE) ? `${lines.join('\r\n')}\r\n` : undefined;
};

/** Fields that programs read, in which an encoded word says nothing. */
const FOR_PROGRAMS =
  /^(?:message-id|in-reply-to|references|date|mime-version|content-transfer-encoding|content-id|x-idempotency-key|list-.*)$/;
const WITH_PARAMETERS = /^content-(?:type|disposition)$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROLS = /[\x00-\x1f\x7f]+/g;

/** A field with the value that was meant, in ASCII and in lines. Undefined where that cannot be written. */
export const writtenField = (name: string, meant: string): string | undefined => {
  const key = name.toLowerCase();
  const value = meant.replaceAll(CONTROLS, ' ').trim();
  if (WITH_PARAMETERS.test(key) && !isPlain(value)) {
    const { value: type, params } = tools.parseHeaderValue(value);
    return isPlain(type) ? folded(name, tools.buildHeaderValue({ value: type, params })) : undefined;
  }
  if (FOR_PROGRAMS.test(key) && !isPlain(value)) return undefined;
  if (isPlain(value)) return folded(name, value) ?? folded(name, encodedWords(value));
  return folded(name, encodedWords(value));
};
