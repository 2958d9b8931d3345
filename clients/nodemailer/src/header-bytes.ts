import { type HeaderField, readHeader } from '../../../src/lib/mail/mime-header.ts';
import { relayError } from './relay-error.ts';

export type { HeaderField };

/** The name of a field in small letters. */
export const keyOf = ({ name }: HeaderField): string => name.toLowerCase();

/** The fields of a message, read as the relay reads them. Throws what the relay would reject. */
export const fieldsOf = (bytes: Buffer): readonly HeaderField[] => {
  const header = readHeader(bytes, 0);
  if ('fields' in header) return header.fields;
  throw relayError(
    `The header of the message cannot be sent. Expected ${header.expected}. Nothing was sent.`,
    {
      code: 'EMESSAGE',
      responseCode: 554,
    },
  );
};

/** The message without some of its fields, and with lines before the others. Nothing else of it changes. */
export const withHeader = (
  bytes: Buffer,
  fields: readonly HeaderField[],
  isLeft: (field: HeaderField) => boolean,
  lines: readonly string[] = [],
): Buffer => {
  const left = fields.filter(isLeft);
  if (left.length === 0 && lines.length === 0) return bytes;
  const firstEnd = bytes.indexOf('\n');
  // A header with both kinds of line end is rejected.
  const lineEnd = firstEnd > 0 && bytes[firstEnd - 1] === 0x0d ? '\r\n' : '\n';
  const pieces: Buffer[] = [
    Buffer.from(lines.map((line) => line.replaceAll('\n', lineEnd) + lineEnd).join('')),
  ];
  let at = 0;
  for (const { start, end } of left) {
    pieces.push(bytes.subarray(at, start));
    at = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
};
