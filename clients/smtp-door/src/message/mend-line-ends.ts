import { hasBareLineEnds, type Range, withLineEndsOutside } from './line-ends.ts';
import { leavesOf, readParts } from './mime-parts.ts';
import { keepsLineEnds } from './part-content.ts';

const LF = 0x0a;
const CR = 0x0d;

/** A message with CRLF for each line end that is one. */
export type MendedLines = {
  readonly lines: Buffer;
  /** Files that are not encoded have a CR or an LF alone, which belongs to them. No whole message can carry that. */
  readonly hasRawFile: boolean;
};

/** Where a CR or an LF alone is part of a file. Nowhere, in a message that cannot be taken apart. */
const rawFilesIn = (bytes: Buffer): readonly Range[] => {
  const parts = readParts(bytes);
  if (typeof parts === 'string') return [];
  const first = bytes.indexOf(LF);
  const isCrlfMessage = first > 0 && bytes[first - 1] === CR;
  return leavesOf(parts)
    .filter((leaf) => keepsLineEnds(leaf, isCrlfMessage))
    .filter(({ start, end }) => hasBareLineEnds(bytes.subarray(start, end)));
};

/** Writes CRLF in place of a CR or an LF alone, but not into files. */
export const mendLineEnds = (bytes: Buffer): MendedLines => {
  const ranges = rawFilesIn(bytes);
  return { lines: withLineEndsOutside(bytes, ranges), hasRawFile: ranges.length > 0 };
};
