import type { MimeNodePreparedHeaderValue } from 'nodemailer/lib/mime-node';
import type { Address } from '../mail/address.ts';

/** What the composer's library makes of texts and parameters. */
export type WordTools = Pick<
  typeof import('nodemailer/lib/mime-funcs'),
  'encodeWord' | 'buildHeaderValue' | 'parseHeaderValue'
>;

/** RFC 5322, 2.1.1: a line should have at most 78 characters. */
const LINE = 78;
/** With the name of a header before it, or a blank, a line of so many fits. */
const LONGEST_PLAIN = 60;
/** RFC 2047, 2: an encoded word has at most 75 characters. */
const LONGEST_WORD = 75 - '=?UTF-8?B??='.length;

/** What cannot be folded, or only into lines of nothing but blanks, which RFC 5322 (2.2.3) forbids. */
const UNFOLDABLE_TEXT = /[^ \t]{61}|[ \t]{30}/;
const BLANKS = /[ \t]{30}/;
const ATOMS = /^\w+(?: \w+)*$/;
/** RFC 5322, 3.2.3. */
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

const isPrintable = (text: string): boolean => /^[ -~]*$/.test(text);

/** As it is written it would be decoded. */
const looksEncoded = (text: string): boolean => text.includes('=?');

const encoded = ({ encodeWord }: WordTools, text: string): string => encodeWord(text, 'B', LONGEST_WORD);

const prepared = (value: string): MimeNodePreparedHeaderValue => ({ prepared: true, foldLines: true, value });

/** Blanks at the ends of a header mean nothing, and behind a long word they would be a line. */
const trimmed = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, '');

/**
 * The value of a header of the caller: a word of it stays one, however long. Programs read URLs in lists (RFC 2369), which never are
 * encoded words.
 */
export const headerValue = (
  tools: WordTools,
  name: string,
  text: string,
): string | MimeNodePreparedHeaderValue => {
  const value = trimmed(text);
  if (/^list-/i.test(name)) return prepared(value.replaceAll(/[ \t]+/g, ' '));
  return looksEncoded(value) || BLANKS.test(value) ? prepared(encoded(tools, value)) : value;
};

/** The value of the header Subject, whose text is for people alone. */
export const subjectValue = (tools: WordTools, text: string): string | MimeNodePreparedHeaderValue =>
  UNFOLDABLE_TEXT.test(text) ? prepared(encoded(tools, trimmed(text))) : headerValue(tools, 'Subject', text);

/** The words of a name, between which a line can end. */
const nameWords = (tools: WordTools, name: string): readonly string[] => {
  if (ATOMS.test(name) && !UNFOLDABLE_TEXT.test(name)) return name.split(' ');
  const text = quoted(name);
  const isShort = text.length <= LONGEST_PLAIN && !/ {2}/.test(name);
  return isShort && isPrintable(name) && !looksEncoded(name) ? [text] : encoded(tools, name).split(' ');
};

/** A domain of another script in its ASCII form (IDNA). */
const asciiDomain = (domain: string): string => {
  if (isPrintable(domain)) return domain;
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return domain;
  }
};

/** An address as a header has it: with its domain in ASCII, and a mailbox name that needs them in quotes. */
export const writtenAddress = (address: string): string => {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  return `${DOT_ATOM.test(local) ? local : quoted(local)}@${asciiDomain(address.slice(at + 1))}`;
};

const addressWords = (tools: WordTools, { name = '', address }: Address): readonly string[] => {
  const written = writtenAddress(address);
  return name === '' ? [written] : [...nameWords(tools, name), `<${written}>`];
};

/** A header of addresses, folded; nothing where there is none. The library's own has no line end in a name. */
export const addressHeader = (tools: WordTools, header: string, list: readonly Address[]): string => {
  if (list.length === 0) return '';
  const lines = [`${header}:`];
  for (const [index, address] of list.entries()) {
    const words = addressWords(tools, address);
    for (const [place, word] of words.entries()) {
      const isLast = place === words.length - 1;
      const piece = ` ${word}${isLast && index < list.length - 1 ? ',' : ''}`;
      const line = lines.at(-1) ?? '';
      if (line.length + piece.length <= LINE || line === `${header}:`) lines[lines.length - 1] = line + piece;
      else lines.push(piece);
    }
  }
  return `${lines.join('\r\n')}\r\n`;
};

/**
 * The headers that name a file. Its name stands in both: some mail clients know only that of Content-Type, where an encoded word
 * in quotes is what they understand. Readers decode encoded words in either, also in what they have decoded by RFC 2231: a name that
 * looks like one is an encoded word in both.
 */
export const fileHeaders = (
  tools: WordTools,
  { filename, contentType, disposition }: Record<'filename' | 'contentType' | 'disposition', string>,
): Record<'Content-Type' | 'Content-Disposition', MimeNodePreparedHeaderValue> => {
  const { value, params } = tools.parseHeaderValue(contentType, { stripComments: true });
  const others = Object.entries(params).filter(([name]) => !/^name(?:\*|$)/i.test(name));
  const type = tools.buildHeaderValue({ value, params: Object.fromEntries(others) });
  const isPlain = /^[ !#-[\]-~]{1,60}$/.test(filename) && !looksEncoded(filename);
  const inQuotes = `"${isPlain ? filename : encoded(tools, filename)}"`;
  const disposed = looksEncoded(filename)
    ? `${disposition}; filename=${inQuotes}`
    : tools.buildHeaderValue({ value: disposition, params: { filename } });
  return {
    'Content-Type': prepared(`${type}; name=${inQuotes}`),
    'Content-Disposition': prepared(disposed),
  };
};
