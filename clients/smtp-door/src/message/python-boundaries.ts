import { createHash } from 'node:crypto';
import { lineAt } from '../../../../src/lib/mail/line-breaks.ts';
import { fieldValue, readHeader } from '../../../../src/lib/mail/mime-header.ts';
import { structureFault } from '../../../../src/lib/mail/mime-structure.ts';
import { type Edit, withEdits } from './edits.ts';

/**
 * What Python's email package writes (email.generator, _make_boundary). It makes another one each time a message is sent, so that an
 * application which repeats an email sends other bytes.
 */
const OF_PYTHON = /boundary="(={15}\d{19}==)"/;
const DASH = 0x2d;
/** In the place of the boundary of part `index`, while the content is hashed. */
const placeholder = (index: number): string => `=_${index}`;

type Declared = { readonly boundary: string; readonly from: number; readonly start: number };

/** Where the boundaries of Python are declared. Undefined where nothing may be changed: a signature, or a structure that is unclear. */
const declaredIn = (bytes: Buffer): readonly Declared[] | undefined => {
  const header = readHeader(bytes, 0);
  if ('expected' in header) return undefined;
  const declared: Declared[] = [];
  let isSigned = false;
  const fault = structureFault(bytes, header.fields, header.bodyAt, (fields, bodyAt) => {
    isSigned ||= /^multipart\/(?:signed|encrypted)/i.test(fieldValue(fields, 'content-type') ?? '');
    const field = fields.find(({ name }) => name.toLowerCase() === 'content-type');
    const text = field === undefined ? '' : bytes.toString('latin1', field.start, field.end);
    const found = OF_PYTHON.exec(text);
    if (field !== undefined && found?.[1] !== undefined)
      declared.push({
        boundary: found[1],
        from: bodyAt,
        start: field.start + found.index + 'boundary="'.length,
      });
  });
  const isUnclear = new Set(declared.map(({ boundary }) => boundary)).size < declared.length;
  return fault !== undefined || isSigned || isUnclear ? undefined : declared;
};

/** The message with boundaries that follow from its content: the same each time it is sent. Others stay as they are. */
export const withSteadyBoundaries = (bytes: Buffer): Buffer => {
  const declared = declaredIn(bytes);
  if (declared === undefined || declared.length === 0) return bytes;
  const places = declared.map(({ start, boundary }, index) => ({
    start,
    end: start + boundary.length,
    index,
  }));
  const first = Math.min(...declared.map(({ from }) => from));
  for (let at = first; at < bytes.length; ) {
    const { end, next } = lineAt(bytes, at);
    if (bytes[at] === DASH && bytes[at + 1] === DASH) {
      const text = bytes.toString('latin1', at + 2, end).trimEnd();
      const index = declared.findIndex(
        ({ boundary, from }) => from <= at && (text === boundary || text === `${boundary}--`),
      );
      const { boundary = '' } = declared[index] ?? {};
      if (boundary !== '') places.push({ start: at + 2, end: at + 2 + boundary.length, index });
    }
    at = next;
  }
  const editsWith = (name: (index: number) => string): readonly Edit[] =>
    places.map(({ start, end, index }) => ({ start, end, text: name(index) }));
  const hash = createHash('sha256')
    .update(withEdits(bytes, editsWith(placeholder)))
    .digest('hex')
    .slice(0, 24);
  return withEdits(
    bytes,
    editsWith((index) => `=_${hash}_${index}`),
  );
};
