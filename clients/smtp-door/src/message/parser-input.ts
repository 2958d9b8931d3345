import type { Leaf, Part } from './mime-parts.ts';
import { encodingOf, isShownText } from './part-content.ts';

const CRLF = Buffer.from('\r\n');
const LF = Buffer.from('\n');
/** Its number is how a file is found again after the parser. */
const NUMBER_FIELD = 'Content-Description';
/** What the parser needs of the header of a part. */
const WANTED = /^content-(?:type|disposition|id)$/;
/** Files whose bytes the parser does not need: a scan is not taken apart a second time. */
const IS_FILE = /^(?:application\/(?!ics$)|image\/|audio\/|video\/|font\/|model\/|message\/)/;

/** Text in lines, of which the last one has its end before the boundary. */
const inLines = (leaf: Leaf, content: Buffer): readonly Buffer[] =>
  !isShownText(leaf) || encodingOf(leaf) === 'base64' || content.length === 0 || content.at(-1) === LF[0]
    ? [content]
    : [content, LF];

/**
 * The message for the parser of texts: the same parts with the same types and names, in the structure that this door read, and with
 * contents that are decoded already. So there is one reading of it, and files are not touched.
 */
export const parserInput = (root: Part, contents: ReadonlyMap<Leaf, Buffer>): Buffer => {
  const numbers = new Map([...contents.keys()].map((leaf, number) => [leaf, number]));
  const pieces: Buffer[] = [];
  const write = (...lines: readonly (string | Buffer)[]): void => {
    for (const line of lines)
      pieces.push(typeof line === 'string' ? Buffer.from(line, 'latin1') : line, CRLF);
  };
  let boundaries = 0;
  const writePart = (part: Part): void => {
    if (part.kind === 'multipart') {
      boundaries += 1;
      const boundary = `=_part_${boundaries}_=`;
      const subtype = /^[\w.+-]+/.exec(part.subtype)?.[0] ?? 'mixed';
      write(`Content-Type: multipart/${subtype}; boundary="${boundary}"`, '');
      for (const child of part.children) {
        write(`--${boundary}`);
        writePart(child);
      }
      write(`--${boundary}--`);
      return;
    }
    for (const { key, start, end } of part.fields)
      if (WANTED.test(key)) pieces.push(part.header.subarray(start, end));
    write(`${NUMBER_FIELD}: ${numbers.get(part)}`, 'Content-Transfer-Encoding: base64', '');
    const content = IS_FILE.test(part.type) ? Buffer.alloc(0) : (contents.get(part) ?? Buffer.alloc(0));
    write(Buffer.concat(inLines(part, content)).toString('base64'));
  };
  writePart(root);
  return Buffer.concat(pieces);
};

/** Whether the parser was given the bytes of a part. */
export const isGivenTo = ({ type }: Leaf): boolean => !IS_FILE.test(type);
