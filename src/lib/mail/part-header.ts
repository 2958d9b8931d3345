import { readContentType } from './content-type.ts';
import { fieldValue, type HeaderField, type WrongMime } from './mime-header.ts';

/** What the header of a part says of what follows it. */
export type PartHeader = {
  /** Of a multipart. */
  readonly boundary?: string;
  readonly isBase64: boolean;
};

/** RFC 2046, 5.1.1. */
const BOUNDARY = /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/;
/** RFC 2045, 6.1, without binary and names of one's own. */
const ENCODING = /^(?:7bit|8bit|quoted-printable|base64)$/;

const NO_BOUNDARY = { expected: 'a boundary of at most 70 characters for each multipart' };

/** Reads what the header of a part, or of the message, says of its body; or says what was expected instead. */
export const readPartHeader = (bytes: Buffer, fields: readonly HeaderField[]): PartHeader | WrongMime => {
  const encoding = fieldValue(fields, 'content-transfer-encoding')?.toLowerCase() ?? '7bit';
  if (encoding === 'binary')
    return { expected: 'base64 for binary parts: lines of binary content do not survive' };
  if (!ENCODING.test(encoding))
    return {
      expected:
        'a Content-Transfer-Encoding that is 7bit, 8bit, quoted-printable or base64, and nothing after it',
    };
  const isBase64 = encoding === 'base64';
  const field = fields.find(({ name }) => name.toLowerCase() === 'content-type');
  if (field === undefined) return { isBase64 };
  const contentType = readContentType(field.value);
  if ('expected' in contentType) return contentType;
  const { type, parameters } = contentType;
  if (!type.startsWith('multipart/')) return { isBase64 };
  if (isBase64 || encoding === 'quoted-printable')
    return { expected: 'a multipart without Content-Transfer-Encoding base64 or quoted-printable' };
  const boundary = parameters.get('boundary');
  if ([...parameters.keys()].some((name) => name.startsWith('boundary*')))
    return { expected: 'the boundary of each multipart in one parameter, without the * of RFC 2231' };
  if (boundary === undefined || boundary.length > 70) return NO_BOUNDARY;
  return BOUNDARY.test(boundary) && isUnfolded(bytes, field, boundary)
    ? { boundary, isBase64 }
    : {
        expected:
          "a boundary of letters, digits, blanks and '()+_,-./:=? in one line, which does not end with a blank",
      };
};

/** Readers put a line break inside of quotes together in different ways. */
const isUnfolded = (bytes: Buffer, { start, end }: HeaderField, boundary: string): boolean =>
  bytes.toString('latin1', start, end).includes(boundary);

/** The name of a field Content-... that a part has twice: readers differ on which of them counts. */
export const repeatedField = (fields: readonly HeaderField[]): string | undefined => {
  const seen = new Set<string>();
  return fields.find(({ name }) => {
    const key = name.toLowerCase();
    const isRepeated = key.startsWith('content-') && seen.has(key);
    seen.add(key);
    return isRepeated;
  })?.name;
};
