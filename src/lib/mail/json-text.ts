import { MAX_DEPTH } from './json-depth.ts';

/**
 * What a look at JSON text shows that JSON.parse does not tell: whether its value is worth building, and which
 * field is written twice, of which JSON.parse drops all but the last without a word.
 */
export type JsonLook = {
  readonly tooDeep: boolean;
  readonly tooMany: boolean;
  /** A field named `__proto__`, however it is written: schemas pass over it without a word. */
  readonly prototype: boolean;
  /** Paths of fields that stand in their object already. */
  readonly repeated: readonly (readonly PropertyKey[])[];
};

/**
 * Objects, lists and named fields together. A mail with all that a mail may have, a thousand places in each of four
 * lists, has 14,000. One of two bytes costs a hundred once it is built, and a microsecond wherever it is looked at;
 * what else stands in a list costs little, so that a list of any length can be told as too long.
 */
export const MAX_PARTS = 20_000;
/**
 * Of a request that can have hundreds of emails: a thousand, each with names, headers and a dozen values of its own. To parse as many
 * takes a tenth of a second or two.
 */
export const MAX_PARTS_OF_SEVERAL = 50_000;
/** As many as are told. */
const MAX_REPEATED = 100;

type Frame = { readonly names: Set<string> | undefined; key: string | number; atName: boolean };

/** Goes through the text once. Says nothing about whether it is JSON. */
export const lookAtJson = (text: string, maxParts = MAX_PARTS): JsonLook => {
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  const repeated: PropertyKey[][] = [];
  let parts = 0;
  let prototype = false;
  const look = (tooDeep: boolean, tooMany: boolean): JsonLook => ({ tooDeep, tooMany, prototype, repeated });

  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        if (end === -1) return look(false, false);
        if (frame?.atName && frame.names !== undefined) {
          parts += 1;
          const name = decode(text.slice(at, end + 1));
          prototype ||= name === '__proto__';
          frame.key = name;
          frame.atName = false;
          if (frame.names.has(name) && repeated.length < MAX_REPEATED)
            repeated.push(frames.map(({ key }) => key));
          frame.names.add(name);
        }
        at = end;
        break;
      }
      case 0x7b:
        frame = { names: new Set(), key: '', atName: true };
        frames.push(frame);
        parts += 1;
        break;
      case 0x5b:
        frame = { names: undefined, key: 0, atName: false };
        frames.push(frame);
        parts += 1;
        break;
      case 0x7d:
      case 0x5d:
        frames.pop();
        frame = frames.at(-1);
        break;
      case 0x2c:
        if (frame !== undefined) {
          frame.atName = true;
          if (typeof frame.key === 'number') frame.key += 1;
        }
        break;
    }
    if (frames.length > MAX_DEPTH) return look(true, false);
    if (parts > maxParts) return look(false, true);
  }
  return look(false, false);
};

/** The place of the quote that ends a string, or -1. An odd number of backslashes before a quote escapes it. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
};

const decode = (written: string): string => {
  if (!written.includes('\\')) return written.slice(1, -1);
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
};
