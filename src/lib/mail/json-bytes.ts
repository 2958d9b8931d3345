import { AppError } from '../errors.ts';
import { makeBase64Cutter } from './base64-cutter.ts';
import { LongBase64 } from './long-base64.ts';
import { decodeUtf8, parseJson } from './read-mail.ts';

/** Twice what one request to Graph carries leaves room for escapes and white space. */
const MAX_REST_BYTES = 8_000_000;

export type JsonReader = {
  /** Takes the next bytes, which belong to the reader from then on. Throws MAIL_TOO_LARGE. */
  readonly push: (chunk: Uint8Array) => void;
  /** Throws JSON_UNREADABLE, FIELD_REPEATED, MAIL_TOO_LARGE, REQUEST_TOO_LARGE. */
  readonly end: () => unknown;
};

/**
 * Reads JSON while its bytes arrive. Long base64 in the content of an attachment and in `mime` stays as the bytes that were
 * received (LongBase64); everything else becomes what JSON.parse makes of it. With `isOurs` the text was written by the relay
 * and is not looked at with care again.
 */
export const openJsonReader = (isOurs = false, maxParts?: number): JsonReader => {
  const most = isOurs ? Number.POSITIVE_INFINITY : MAX_REST_BYTES;
  const cutter = makeBase64Cutter((bytes) => requireRoom(bytes, most));
  return {
    push: cutter.push,
    end: () => {
      const { rest, texts, mark, placeBefore } = cutter.end();
      const text = decodeUtf8(rest);
      const value = isOurs ? JSON.parse(text) : parseJson(text, placeIn(rest, text, placeBefore), maxParts);
      if (texts.length === 0) return value;
      let textBytes = rest.byteLength;
      return putBack(
        value,
        (written) => (written.startsWith(mark) ? texts[Number(written.slice(mark.length))] : undefined),
        (long) => {
          textBytes += long.length;
          requireRoom(textBytes, most);
          return long.toString();
        },
      );
    },
  };
};

/** Reads all chunks as JSON. */
export const readJson = async (
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isOurs = false,
): Promise<unknown> => {
  const reader = openJsonReader(isOurs);
  for await (const chunk of chunks) reader.push(chunk);
  return reader.end();
};

const requireRoom = (bytes: number, most: number): void => {
  if (bytes > most)
    throw new AppError('MAIL_TOO_LARGE', {
      detail: `An email can have at most ${most} bytes of JSON besides the base64 of its attachments; this one has more.`,
    });
};

const BYTE_ORDER_MARK_BYTES = 3;

/** The place in the JSON as it was received, in characters; what was cut out has one byte for each. */
const placeIn =
  (rest: Buffer, text: string, placeBefore: (place: number) => number) =>
  (place: number): number => {
    const mark = rest[0] === 0xef ? BYTE_ORDER_MARK_BYTES : 0;
    const inBytes = mark + Buffer.byteLength(text.slice(0, place));
    return place + placeBefore(inBytes) - inBytes;
  };

type Parent = {
  readonly container: Record<PropertyKey, unknown>;
  /** The names of the container and of the one around it. */
  readonly name: PropertyKey;
  readonly around: PropertyKey;
};

/** Puts the texts back in place of their placeholders; `toText` where a text must not stay as bytes. */
const putBack = (
  value: unknown,
  longOf: (written: string) => LongBase64 | undefined,
  toText: (long: LongBase64) => string,
): unknown => {
  const root: Record<string, unknown> = { value };
  const open: Parent[] = [{ container: root, name: '', around: '' }];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    const { container, name } = parent;
    // The keys of a long list would be as many texts.
    for (const written of Array.isArray(container) ? container.keys() : Object.keys(container)) {
      const key = typeof written === 'number' ? written : renamed(container, written, longOf, toText);
      const item = container[key];
      if (typeof item === 'string') {
        const long = longOf(item);
        if (long !== undefined) container[key] = isPlaceOfBase64(key, parent) ? long : toText(long);
      } else if (isObject(item))
        open.push({
          container: item as Parent['container'],
          name: key,
          around: name,
        });
    }
  }
  return root.value;
};

const isPlaceOfBase64 = (key: PropertyKey, { name, around }: Parent): boolean =>
  key === 'content' ? typeof name === 'number' && around === 'attachments' : key === 'mime';

/** A field can have a long name too. */
const renamed = (
  container: Record<PropertyKey, unknown>,
  written: string,
  longOf: (written: string) => LongBase64 | undefined,
  toText: (long: LongBase64) => string,
): string => {
  const long = longOf(written);
  if (long === undefined) return written;
  const name = toText(long);
  container[name] = container[written];
  delete container[written];
  return name;
};

/** The JSON of a value in pieces; long base64 is in it as the bytes it was received in. */
export const writeJson = (value: unknown): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') pieces.push(Buffer.from(text));
    text = '';
  };
  const write = (item: unknown): void => {
    if (item instanceof LongBase64 && !item.hasBreaks) {
      text += '"';
      flush();
      for (const chunk of item.chunks) pieces.push(chunk);
      text = '"';
    } else if (item instanceof LongBase64 || !isObject(item) || !holdsLong(item))
      text += JSON.stringify(item);
    else if (Array.isArray(item)) writeAll('[', item, (one) => write(one ?? null), ']');
    else
      writeAll(
        '{',
        Object.entries(item).filter(([, field]) => field !== undefined),
        ([name, field]) => {
          text += `${JSON.stringify(name)}:`;
          write(field);
        },
        '}',
      );
  };
  const writeAll = <Item>(
    start: string,
    items: readonly Item[],
    one: (item: Item) => void,
    end: string,
  ): void => {
    text += start;
    for (const [index, item] of items.entries()) {
      if (index > 0) text += ',';
      one(item);
    }
    text += end;
  };
  write(value);
  flush();
  return pieces;
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Whether there is long base64 in a value. Expects one that is not deep. */
export const holdsLong = (value: unknown): boolean =>
  value instanceof LongBase64 || (isObject(value) && Object.values(value).some(holdsLong));
