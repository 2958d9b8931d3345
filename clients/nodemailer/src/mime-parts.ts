import { readContentType } from '../../../src/lib/mail/content-type.ts';
import { fieldValue, type HeaderField, readHeader } from '../../../src/lib/mail/mime-header.ts';
import { structureFault } from '../../../src/lib/mail/mime-structure.ts';

/** A part of a message that has no parts itself. */
export type Part = {
  readonly type: string;
  readonly charset: string | undefined;
  readonly disposition: string | undefined;
  readonly contentId: string | undefined;
  /** Its header with the empty line at its end. */
  readonly header: Buffer;
  /** Decoded. */
  readonly content: Buffer;
};

export type ReadParts = { readonly fields: readonly HeaderField[]; readonly parts: readonly Part[] };

/** The header and the parts of a message, as the relay reads it; or what it expected instead. */
export const readParts = (bytes: Buffer): ReadParts | { readonly expected: string } => {
  const header = readHeader(bytes, 0);
  if ('expected' in header) return header;
  const found: { readonly fields: readonly HeaderField[]; readonly bodyAt: number }[] = [];
  const fault = structureFault(bytes, header.fields, header.bodyAt, (fields, bodyAt) =>
    found.push({ fields, bodyAt }),
  );
  if (fault !== undefined) return { expected: fault };
  const typed = found.map((one) => {
    const read = readContentType(fieldValue(one.fields, 'content-type') ?? 'text/plain');
    return {
      ...one,
      ...('type' in read ? read : { type: 'text/plain', parameters: new Map<string, string>() }),
    };
  });
  const delimiters = typed.flatMap(({ parameters }) => {
    const boundary = parameters.get('boundary');
    return boundary === undefined ? [] : [Buffer.from(`\n--${boundary}`)];
  });
  const parts = typed
    .filter(({ type }) => !type.startsWith('multipart/'))
    .map(({ fields, bodyAt, type, parameters }): Part => {
      const body = bytes.subarray(bodyAt, endOf(bytes, bodyAt, delimiters));
      return {
        type,
        charset: parameters.get('charset'),
        disposition: fieldValue(fields, 'content-disposition')?.split(';', 1)[0]?.trim().toLowerCase(),
        contentId: fieldValue(fields, 'content-id')?.replace(/^<|>$/g, ''),
        header: bytes.subarray(fields[0]?.start ?? bodyAt, bodyAt),
        content: decode(body, fieldValue(fields, 'content-transfer-encoding')?.toLowerCase()),
      };
    });
  return { fields: header.fields, parts };
};

/** Where the body that begins at `start` ends: before the line end of the next delimiter. */
const endOf = (bytes: Buffer, start: number, delimiters: readonly Buffer[]): number => {
  const ends = delimiters.map((delimiter) => bytes.indexOf(delimiter, start - 1)).filter((at) => at !== -1);
  if (ends.length === 0) return bytes.length;
  const lf = Math.min(...ends);
  return Math.max(start, bytes[lf - 1] === 0x0d ? lf - 1 : lf);
};

const decode = (body: Buffer, encoding: string | undefined): Buffer => {
  if (encoding === 'base64') return Buffer.from(body.toString('latin1'), 'base64');
  if (encoding !== 'quoted-printable') return body;
  const text = body
    .toString('latin1')
    // RFC 2045, 6.7: blanks at the end of a line were added on the way, and = there joins it with the next.
    .replaceAll(/[ \t]+(?=\r?\n|$)/g, '')
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
};
