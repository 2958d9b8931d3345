import { AppError } from '../errors.ts';
import { decodeEscapes, isBase64Character, isBase64OrBreak, makeEscapeReader } from './base64-escapes.ts';
import { LongBase64 } from './long-base64.ts';

/** A text of this length, as it is written in the JSON, is cut out of it. */
export const LONG_BYTES = 65_536;

const [OTHER, BASE64, QUOTE, BACKSLASH] = [0, 1, 2, 3] as const;

const KINDS = Uint8Array.from({ length: 256 }, (_, code) => (isBase64Character(code) ? BASE64 : OTHER));
KINDS[0x22] = QUOTE;
KINDS[0x5c] = BACKSLASH;

/** What is left of JSON without its long base64. */
type CutJson = {
  /** With a placeholder for each text that was cut out. */
  readonly rest: Buffer;
  readonly texts: readonly LongBase64[];
  /** What the placeholders begin with once they are read, and no other text: then the index of the text follows. */
  readonly mark: string;
  /** The place in the JSON as it was of a place in the rest, both in bytes. */
  readonly placeBefore: (place: number) => number;
};

export type Base64Cutter = {
  /** Takes the next bytes, which belong to the cutter from then on. */
  readonly push: (chunk: Uint8Array) => void;
  readonly end: () => CutJson;
};

/**
 * Cuts the long texts of base64 out of JSON while its bytes arrive, so that they are neither joined nor decoded. What is in
 * a string is found by quotes and backslashes alone; whether the rest is JSON, its parser says.
 *
 * `onRest` hears how many bytes the rest has, and may throw.
 */
export const makeBase64Cutter = (onRest: (bytes: number) => void): Base64Cutter => {
  const rest: Uint8Array[] = [];
  let restBytes = 0;
  const cuts: Cut[] = [];

  /** `candidate`: in a string that is base64 so far. `string`: in any other. */
  let state: 'outside' | 'candidate' | 'string' = 'outside';
  /** The candidate, as it is written, in the chunks before this one. */
  let pieces: Uint8Array[] = [];
  let pieceBytes = 0;
  let hasEscapes = false;
  /** An escape of the candidate that is not complete. */
  const reader = makeEscapeReader();
  /** The next character of the string is escaped. */
  let isEscaped = false;

  const keep = (bytes: Uint8Array): void => {
    if (bytes.byteLength === 0) return;
    rest.push(bytes);
    restBytes += bytes.byteLength;
    onRest(restBytes);
  };
  const keepPieces = (): void => {
    for (const piece of pieces) keep(piece);
    pieces = [];
    pieceBytes = 0;
  };
  const cut = (): void => {
    const hasBreaks = hasEscapes && decodeEscapes(pieces);
    cuts.push({ at: restBytes, written: pieceBytes, text: new LongBase64(pieces, hasBreaks) });
    pieces = [];
    pieceBytes = 0;
  };

  const push = (chunk: Uint8Array): void => {
    const end = chunk.byteLength;
    /** What lies before has been kept, or belongs to the candidate. */
    let from = 0;
    /** Where the candidate begins in this chunk. */
    let start = 0;
    let at = 0;
    const giveUpCandidate = (): void => {
      keepPieces();
      state = 'string';
      reader.forget();
    };

    while (at < end) {
      switch (state) {
        case 'outside': {
          const quote = chunk.indexOf(0x22, at);
          at = quote === -1 ? end : quote + 1;
          if (quote === -1) break;
          state = 'candidate';
          start = at;
          hasEscapes = false;
          break;
        }
        case 'string': {
          if (isEscaped) {
            isEscaped = false;
            at += 1;
            break;
          }
          while (at < end && (KINDS[chunk[at] ?? 0] ?? 0) < QUOTE) at += 1;
          if (at === end) break;
          if (chunk[at] === 0x22) state = 'outside';
          else isEscaped = true;
          at += 1;
          break;
        }
        case 'candidate': {
          if (reader.isBegun()) {
            const isFirst = reader.isFirst();
            const read = reader.next(chunk[at] ?? 0);
            // The character behind the backslash belongs to the escape, whatever it is.
            if (isFirst || read !== 'none') at += 1;
            if (read === 'none' || (read === 'whole' && !isBase64OrBreak(reader.code()))) giveUpCandidate();
            break;
          }
          while (at < end && KINDS[chunk[at] ?? 0] === BASE64) at += 1;
          if (at === end) break;
          const kind = KINDS[chunk[at] ?? 0];
          if (kind === BACKSLASH) {
            reader.begin();
            hasEscapes = true;
            at += 1;
          } else if (kind === OTHER) giveUpCandidate();
          else {
            if (pieceBytes + at - start >= LONG_BYTES) {
              keep(chunk.subarray(from, start));
              pieces.push(chunk.subarray(start, at));
              pieceBytes += at - start;
              cut();
              from = at;
            } else keepPieces();
            state = 'outside';
            at += 1;
          }
          break;
        }
      }
    }
    if (state === 'candidate') {
      keep(chunk.subarray(from, start));
      pieces.push(chunk.subarray(start));
      pieceBytes += end - start;
    } else keep(chunk.subarray(from));
  };

  return {
    push,
    end: () => {
      // It is not JSON then: the parser finds the text without its end where it is.
      if (pieceBytes >= LONG_BYTES && !reader.isBegun()) cut();
      else keepPieces();
      return withPlaceholders(Buffer.concat(rest, restBytes), cuts);
    },
  };
};

/** A text that was cut out, where it was in the rest, and how many bytes it had there. */
type Cut = { readonly at: number; readonly written: number; readonly text: LongBase64 };

/** U+0000 can be written in JSON in one way only. */
const NUL = '\\u0000';
/** No text of an email has any, and a placeholder longer than this is no longer small. */
const MOST_NULS = 64;

/**
 * A placeholder has more U+0000 in a row than there are in the rest, so that no text of anybody is taken for one.
 */
const withPlaceholders = (rest: Buffer, cuts: readonly Cut[]): CutJson => {
  const most = cuts.length === 0 ? 0 : mostNuls(rest);
  const mark = NUL.repeat(most + 1);
  const parts: Uint8Array[] = [];
  const shifts: { readonly at: number; readonly by: number }[] = [];
  let from = 0;
  let length = 0;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    length += part.byteLength;
  };
  for (const [index, { at, written }] of cuts.entries()) {
    add(rest.subarray(from, at));
    const placeholder = Buffer.from(mark + index);
    add(placeholder);
    shifts.push({ at: length, by: written - placeholder.byteLength });
    from = at;
  }
  add(rest.subarray(from));
  return {
    rest: cuts.length === 0 ? rest : Buffer.concat(parts, length),
    texts: cuts.map(({ text }) => text),
    mark: '\0'.repeat(most + 1),
    placeBefore: (place) =>
      shifts.reduce((before, { at, by }) => (at <= place ? before + by : before), place),
  };
};

const mostNuls = (rest: Buffer): number => {
  let most = 0;
  for (const [run] of rest.toString('latin1').matchAll(/(?:\\u0000)+/g))
    most = Math.max(most, run.length / NUL.length);
  if (most > MOST_NULS)
    throw new AppError('JSON_UNREADABLE', {
      detail: `Expected text, received more than ${MOST_NULS} characters U+0000 in a row.`,
    });
  return most;
};
