import { GraphError } from '../graph-error.ts';
import { invalidRange } from './upload-refusals.ts';

/** https://learn.microsoft.com/graph/outlook-large-attachments: up to 4 MB each time. */
const LARGEST_RANGE_BYTES = 4_000_000;

export type Range = { readonly start: number; readonly bytes: number };

/** Reads which bytes a PUT brings. Throws the refusal where they are not exactly the next ones. */
export const readRange = (
  headers: { readonly 'content-range'?: string | undefined; readonly 'content-length'?: string | undefined },
  { received, size }: { readonly received: number; readonly size: number },
): Range => {
  const [, first, last, total] =
    /^bytes (\d{1,12})-(\d{1,12})\/(\d{1,12})$/.exec(headers['content-range'] ?? '') ?? [];
  if (first === undefined || last === undefined || total === undefined)
    throw invalidRange(
      400,
      `expected Content-Range: bytes ${received}-<last>/${size}, received ${headers['content-range'] === undefined ? 'none' : 'another form'}`,
    );
  const [start, end] = [Number(first), Number(last)];
  const bytes = end - start + 1;
  if (headers['content-length'] === undefined)
    throw new GraphError(411, 'LengthRequired', 'A range needs a Content-Length.');
  if (Number(total) !== size) throw invalidRange(400, `expected a total of ${size} bytes, received ${total}`);
  if (bytes < 1 || end >= size)
    throw invalidRange(400, `expected a range within ${size} bytes, received ${first}-${last}`);
  if (Number(headers['content-length']) !== bytes)
    throw invalidRange(400, `expected a Content-Length of ${bytes}, received ${headers['content-length']}`);
  if (bytes > LARGEST_RANGE_BYTES)
    throw invalidRange(
      400,
      `expected at most ${LARGEST_RANGE_BYTES} bytes (4 MB) in a range, received ${bytes}`,
    );
  if (start !== received)
    throw invalidRange(416, `expected a range that begins at ${received}, received ${start}`);
  return { start, bytes };
};
