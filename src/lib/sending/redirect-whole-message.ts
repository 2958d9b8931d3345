import { fieldValue, type HeaderField, readHeader } from '../mail/mime-header.ts';
import { structureFault } from '../mail/mime-structure.ts';
import type { RawMime } from '../mail/raw-mime.ts';
import { writtenAddress } from './mime-words.ts';
import { isCalendarFile } from './redirect-calendar.ts';
import { isKeptHeader } from './redirect-headers.ts';
import { type Originally, originalHeaders } from './redirect-note.ts';

/** A file that no mail client opens as an invitation, whatever it was called. */
const AS_A_FILE = Buffer.from(
  'Content-Type: application/octet-stream; name="calendar.txt"\r\nContent-Disposition: attachment; filename="calendar.txt"\r\n',
);

type Edit = Pick<HeaderField, 'start' | 'end'> & { readonly by?: Buffer };

/** Every form in which a parameter can be written, in one: encoded words (RFC 2047) and percent-encoding (RFC 2231). */
const decoded = (value: string): string =>
  value
    .replaceAll(/=\?[^?]*\?b\?([^?]*)\?=\s*/gi, (_, text: string) =>
      Buffer.from(text, 'base64').toString('latin1'),
    )
    .replaceAll(/=\?[^?]*\?q\?([^?]*)\?=\s*/gi, (_, text: string) => text.replaceAll('=', '%'))
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** The values of the parameters of a field, with continued ones (RFC 2231, 3) put together. */
const namesIn = (value: string): readonly string[] => {
  const whole = decoded(value).replaceAll(/"?\s*;\s*(?:file)?name\*\d+\*?\s*=\s*"?/gi, (found, at: number) =>
    at === 0 || /\*0\*?\s*=/.test(found) ? '\n' : '',
  );
  return whole.split(/[;\n]/);
};

/** Whether a mail client may open a part as an invitation, by the fields of its header. */
export const isCalendarPart = (fields: readonly HeaderField[]): boolean => {
  const type = fieldValue(fields, 'content-type') ?? '';
  const disposition = fieldValue(fields, 'content-disposition') ?? '';
  return [type, ...namesIn(type), ...namesIn(disposition)].some((name) => isCalendarFile(type, name));
};

/** The edits that make a part of a calendar a file; its encoding and its content stay. */
const toFile = (fields: readonly HeaderField[]): readonly Edit[] => {
  const replaced = fields.filter(({ name }) => /^content-(?:type|disposition|class)$/i.test(name));
  return replaced.map(({ start, end }, index) => ({ start, end, ...(index === 0 ? { by: AS_A_FILE } : {}) }));
};

const edited = (bytes: Buffer, edits: readonly Edit[]): Buffer => {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, by } of edits.toSorted((one, other) => one.start - other.start)) {
    pieces.push(bytes.subarray(at, start), ...(by === undefined ? [] : [by]));
    at = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
};

/**
 * A whole message that goes to one address: fields of its header that lead to anyone else are taken out, and parts that are
 * calendars become files. Every other byte stays, so its body cannot say that it was redirected.
 */
export const redirectWholeMessage = (
  raw: RawMime,
  sender: string,
  to: string,
  originally: Originally,
): RawMime => {
  const header = readHeader(raw.bytes, 0);
  if ('expected' in header) throw new Error('a whole message must have been read before it is redirected');
  const { fields, bodyAt } = header;
  const originals = [...originally.to, ...originally.cc, ...originally.bcc, ...originally.replyTo].map(
    ({ address }) => address,
  );
  const left = fields.filter((field) => !isKeptHeader(field, sender, originals));
  const edits: Edit[] = left.map(({ start, end }) => ({ start, end }));
  structureFault(raw.bytes, fields, bodyAt, (part) => {
    if (isCalendarPart(part)) edits.push(...toFile(part).filter((edit) => !isAmong(left, edit)));
  });
  const first = [{ name: 'To', value: writtenAddress(to) }, ...originalHeaders(originally)];
  const lines = first.map(({ name, value }) => `${name}: ${value.replaceAll(', ', ',\r\n ')}\r\n`);
  const names = new Set(left.map(({ name }) => name));
  return {
    ...raw,
    bytes: Buffer.concat([Buffer.from(lines.join('')), edited(raw.bytes, edits)]),
    uncertain: raw.uncertain.filter((name) => !names.has(name)),
  };
};

const isAmong = (fields: readonly HeaderField[], { start }: Edit): boolean =>
  fields.some((field) => field.start === start);
