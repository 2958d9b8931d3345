import { defined } from '../defined.ts';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { type Base64Text, isBase64Text } from '../mail/base64-text.ts';
import { LongBase64 } from '../mail/long-base64.ts';
import { fieldProblems } from './field-rules.ts';
import { ATTACHMENT_RULES } from './resend-fields.ts';
import { contentIdOf, withShownIds } from './shown-files.ts';

/** A string from here on is kept as bytes, as one of a request is. */
const LONG = 65_536;

const toBase64 = (bytes: Buffer): Base64Text => {
  const text = bytes.toString('base64');
  return text.length < LONG ? text : new LongBase64([Buffer.from(text, 'latin1')], false);
};

const isByte = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;

/** What Go and older clients for JavaScript and Python write: the bytes one by one, or a Buffer as JSON has it. */
const bytesOf = (content: unknown): readonly unknown[] | undefined => {
  if (Array.isArray(content)) return content;
  if (isBase64Text(content) || !isObject(content)) return undefined;
  return content.type === 'Buffer' && Array.isArray(content.data) ? content.data : undefined;
};

/** Laravel writes calendars as they are. */
const isPlainCalendar = (content: unknown): content is string =>
  typeof content === 'string' && /^BEGIN:VCALENDAR[\r\n]/.test(content);

const contentOf = (content: unknown): { readonly content: unknown } | { readonly fault: true } => {
  const bytes = bytesOf(content);
  if (bytes !== undefined)
    return bytes.every(isByte) ? { content: toBase64(Buffer.from(bytes as number[])) } : { fault: true };
  return { content: isPlainCalendar(content) ? toBase64(Buffer.from(content)) : content };
};

const CONTENT = 'the file in base64, or its bytes as a list of numbers from 0 to 255';

/** The files of an email as ours. What is not an object or a list stays, so that the rules of an email refuse it. */
export const readAttachments = (
  { attachments: written, html }: Readonly<Record<string, unknown>>,
  place: string,
  problems: Problem[],
): unknown => {
  if (!Array.isArray(written)) return written;
  const files = written.map((file: unknown, index) => {
    if (!isObject(file) || isBase64Text(file)) return file;
    const at = `${place}attachments[${index}].`;
    problems.push(...fieldProblems(file, ATTACHMENT_RULES, at));
    const { filename, content, content_type: contentType, path } = file;
    const [cid, otherCid] = [file.content_id, file.inline_content_id]
      .map(contentIdOf)
      .filter((id) => id !== undefined && !isAbsent(id));
    if (otherCid !== undefined && otherCid !== cid)
      problems.push({
        code: 'FIELD_REPEATED',
        pointer: `${at}inline_content_id`,
        expected: 'one content id, in `content_id`',
        received: 'two different ones',
      });
    const read = contentOf(content);
    const isMissing = content === undefined || content === null;
    if ('fault' in read || (isMissing && (isAbsent(path) || path === undefined)))
      problems.push({
        code: 'FIELD_INVALID',
        pointer: `${at}content`,
        expected: CONTENT,
        received: 'fault' in read ? 'a list with something else in it' : describe(content),
      });
    return defined({
      // The type of the JavaScript client allows `false`.
      filename: filename === false ? undefined : filename,
      contentType,
      cid,
      content: 'fault' in read ? undefined : read.content,
    });
  });
  return withShownIds(files, html);
};
