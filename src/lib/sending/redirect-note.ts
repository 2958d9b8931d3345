import { Tokenizer } from 'htmlparser2';
import type { Address } from '../mail/address.ts';
import type { MailHeader } from '../mail/mail-headers.ts';
import { writtenAddress } from './mime-words.ts';

/** Whom a redirected email was for. */
export type Originally = {
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
};

/** RFC 5322, 2.1.1, without the name of the header. */
const MOST_IN_HEADER = 950;
/** What a reader still looks at before the email itself. */
const MOST_IN_BODY = 2000;

const isAscii = (text: string): boolean => /^[ -~]*$/.test(text);

/** As many of the texts as fit, and how many more there are of all. */
const listed = (texts: readonly string[], count: number, most: number): string => {
  const ending = (more: number): string =>
    more === 0 ? '' : texts.length === 0 ? `${more}` : ` and ${more} more`;
  let shown = texts;
  while (shown.length > 0 && `${shown.join(', ')}${ending(count - shown.length)}`.length > most)
    shown = shown.slice(0, -1);
  return `${shown.join(', ')}${ending(count - shown.length)}`;
};

/** An address that ASCII cannot write is counted and not named. */
const inHeader = (people: readonly Address[]): string => {
  const written = people.map(({ address }) => writtenAddress(address)).filter(isAscii);
  return listed(written, people.length, MOST_IN_HEADER);
};

/** The headers that keep whom the email was for, the most important first. Of Bcc only the number is told. */
export const originalHeaders = ({ to, cc, bcc, replyTo }: Originally): readonly MailHeader[] =>
  [
    { name: 'x-original-to', value: inHeader(to) },
    { name: 'x-original-cc', value: inHeader(cc) },
    { name: 'x-original-bcc-count', value: bcc.length === 0 ? '' : String(bcc.length) },
    { name: 'x-original-reply-to', value: inHeader(replyTo) },
  ].filter(({ value }) => value !== '');

/** The line at the top of the body. */
export const redirectNote = ({ to, cc, bcc, replyTo }: Originally): string => {
  const inBody = (people: readonly Address[]) =>
    listed(
      people.map(({ address }) => address),
      people.length,
      MOST_IN_BODY,
    );
  const parts = [
    to.length === 0 ? '' : `to ${inBody(to)}`,
    cc.length === 0 ? '' : `Cc ${inBody(cc)}`,
    bcc.length === 0 ? '' : `${bcc.length} in Bcc`,
    replyTo.length === 0 ? '' : `replies to ${inBody(replyTo)}`,
  ];
  return `Redirected by the relay: was ${parts.filter((part) => part !== '').join('; ')}.`;
};

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);

const STYLE =
  'margin:0 0 16px;padding:8px;border:1px solid #a4262c;background:#fff4ce;color:#201f1e;font:14px sans-serif';

/**
 * Where the content of an html begins: after `<body>`, else after what must come first, such as the doctype. By a tokenizer, as a
 * comment, a style or an attribute can hold `<body>` too.
 */
const contentStart = (html: string): number => {
  let start = 0;
  let element = '';
  let closing = '';
  const tokenizer = new Tokenizer(
    {},
    {
      onopentagname: (from, to) => {
        element = html.slice(from, to).toLowerCase();
      },
      onopentagend: (end) => {
        if (element === 'html' || element === 'body') start = end + 1;
        if (element === 'body') tokenizer.pause();
      },
      onclosetag: (from, to) => {
        closing = html.slice(from, to).toLowerCase();
        const end = html.indexOf('>', to);
        if (closing === 'head' && end !== -1) start = end + 1;
      },
      ondeclaration: (_, end) => {
        start = end + 1;
      },
      onprocessinginstruction: (_, end) => {
        start = end + 1;
      },
      onselfclosingtag: () => {},
      onattribname: () => {},
      onattribdata: () => {},
      onattribentity: () => {},
      onattribend: () => {},
      ontext: () => {},
      ontextentity: () => {},
      oncomment: () => {},
      oncdata: () => {},
      onend: () => {},
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return Math.min(start, html.length);
};

/** The html with the note as the first that is shown. */
export const withNoteInHtml = (html: string, note: string): string => {
  const at = contentStart(html);
  return `${html.slice(0, at)}<div style="${STYLE}">${escaped(note)}</div>${html.slice(at)}`;
};

/** The text with the note as its first line. */
export const withNoteInText = (text: string, note: string): string => `${note}\r\n\r\n${text}`;
