import { fieldValue, type HeaderField, readHeader } from '../../../../src/lib/mail/mime-header.ts';
import { structureFault } from '../../../../src/lib/mail/mime-structure.ts';
import { charsetOf } from './decode-text.ts';
import { type Edit, withEdits } from './edits.ts';

type Part = { readonly fields: readonly HeaderField[]; readonly bodyAt: number };

/** The empty line after a header. */
const EMPTY_LINE = 2;

const isText = (type: string): boolean => /^text\//i.test(type) || type === '';

/** For text in 8 bits without a charset: what it is, in the header of its part. */
const partEdits = (bytes: Buffer, { fields, bodyAt }: Part, end: number): readonly Edit[] => {
  const type = fields.find(({ name }) => name.toLowerCase() === 'content-type');
  const encoding = fieldValue(fields, 'content-transfer-encoding')?.toLowerCase() ?? '';
  const isEncoded = encoding === 'base64' || encoding === 'quoted-printable';
  if (isEncoded || !isText(type?.value ?? '')) return [];
  const charset = charsetOf(bytes.subarray(bodyAt, end));
  if (charset === 'us-ascii') return [];
  const before = bodyAt - EMPTY_LINE;
  const edits: Edit[] = [];
  if (!/;\s*charset\s*=/i.test(type?.value ?? '') || /charset\s*=\s*"?us-ascii/i.test(type?.value ?? '')) {
    const value = (type?.value ?? 'text/plain').replace(/\s*;\s*charset\s*=\s*(?:"[^"]*"|[^\s;]*)/i, '');
    const text = `Content-Type: ${value}; charset=${charset}\r\n`;
    edits.push(
      type === undefined ? { start: before, end: before, text } : { start: type.start, end: type.end, text },
    );
  }
  if (encoding !== '8bit') {
    const text = 'Content-Transfer-Encoding: 8bit\r\n';
    const field = fields.find(({ name }) => name.toLowerCase() === 'content-transfer-encoding');
    edits.push(
      field === undefined
        ? { start: before, end: before, text }
        : { start: field.start, end: field.end, text },
    );
  }
  return edits;
};

/**
 * Text in 8 bits that says nothing of its charset is what RFC 2045 (5.2) calls US-ASCII, and arrives as question marks. The same bytes
 * where nothing is missing, or where the message is not well-formed.
 */
export const mendCharset = (bytes: Buffer): Buffer => {
  const header = readHeader(bytes, 0);
  if ('expected' in header) return bytes;
  const parts: Part[] = [];
  const fault = structureFault(bytes, header.fields, header.bodyAt, (fields, bodyAt) =>
    parts.push({ fields, bodyAt }),
  );
  if (fault !== undefined) return bytes;
  // What is signed stays as it is.
  if (parts.some(({ fields }) => /^multipart\/signed/i.test(fieldValue(fields, 'content-type') ?? '')))
    return bytes;
  return withEdits(
    bytes,
    parts.flatMap((part, index) => partEdits(bytes, part, parts[index + 1]?.bodyAt ?? bytes.length)),
  );
};
