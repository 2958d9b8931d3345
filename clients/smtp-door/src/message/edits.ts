/** Bytes to put in place of others. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string };

/** The bytes with all edits made, which do not overlap. Everything else stays as it is; without edits, the same bytes. */
export const withEdits = (bytes: Buffer, edits: readonly Edit[]): Buffer => {
  if (edits.length === 0) return bytes;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((one, other) => one.start - other.start)) {
    pieces.push(bytes.subarray(at, start), Buffer.from(text, 'latin1'));
    at = Math.max(at, end);
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
};
