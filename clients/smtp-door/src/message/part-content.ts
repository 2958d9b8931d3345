import type { Leaf } from './mime-parts.ts';
import { decodeBase64, decodeQuotedPrintable, transferEncodingOf } from './transfer-encoding.ts';

/** How a part is encoded. */
export const encodingOf = ({ fields }: Leaf) =>
  transferEncodingOf(fields.find(({ key }) => key === 'content-transfer-encoding')?.value ?? '');

/** The bytes of a part as they were before it was encoded; or a sentence that says why nobody can know them. */
export const contentOf = (bytes: Buffer, leaf: Leaf, number: number): Buffer | string => {
  const encoded = bytes.subarray(leaf.start, leaf.end);
  const encoding = encodingOf(leaf);
  if (encoding === 'as-is') return encoded;
  if (encoding === 'quoted-printable') return decodeQuotedPrintable(encoded);
  if (encoding === undefined)
    return `Part ${number} has a Content-Transfer-Encoding that email does not know. Set base64 in this device.`;
  return (
    decodeBase64(encoded) ??
    `Part ${number} says that it is base64, and is cut off or has other characters. Its file would arrive damaged. Send it again, or update the firmware of this device.`
  );
};

/** Whether a part is shown as text, and not a file. */
export const isShownText = ({ type, fields }: Leaf): boolean =>
  /^(?:|text\/plain|text\/html)$/.test(type) &&
  !/^attachment\b/i.test(fields.find(({ key }) => key === 'content-disposition')?.value ?? '');

/** Of text, line ends have a meaning of their own, which is a new line in any form. */
const isText = (type: string): boolean => /^(?:$|text\/|message\/)/.test(type);

/**
 * Whether the line ends in a part are bytes of its file, which stay: those of a file that is not encoded. A message whose header has LF
 * or CR alone means a new line with it, also in its files of text. What is signed has CRLF by its standards (RFC 8551, 3.1.1).
 */
export const keepsLineEnds = (leaf: Leaf, isCrlfMessage: boolean): boolean =>
  !leaf.isSealed &&
  encodingOf(leaf) === 'as-is' &&
  !isShownText(leaf) &&
  leaf.type !== 'text/calendar' &&
  (isCrlfMessage || !isText(leaf.type));
