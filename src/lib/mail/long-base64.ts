const [CR, LF] = [0x0d, 0x0a];

const isBreak = (byte: number | undefined): boolean => byte === CR || byte === LF;

/**
 * A long text of base64 as the bytes it was received in, which are never joined: it takes the place of the string in a value
 * that was read from JSON. Its characters are those of base64 and line breaks; whether it is valid is not known.
 *
 * The chunks are private fields, since what walks through a value must not walk through them.
 */
export class LongBase64 {
  readonly #chunks: readonly Uint8Array[];
  /** Where each chunk ends in the text. */
  readonly #ends: readonly number[];
  readonly #hasBreaks: boolean;

  constructor(chunks: readonly Uint8Array[], hasBreaks: boolean) {
    let end = 0;
    this.#chunks = chunks;
    this.#ends = chunks.map(({ byteLength }) => {
      end += byteLength;
      return end;
    });
    this.#hasBreaks = hasBreaks;
  }

  /** In characters, of which each is a byte. */
  get length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  get hasBreaks(): boolean {
    return this.#hasBreaks;
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** The bytes from `start` up to `end`, as parts of the chunks. */
  range(start: number, end: number): readonly Uint8Array[] {
    const found: Uint8Array[] = [];
    for (let index = this.#chunkAt(start); index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] ?? new Uint8Array();
      const offset = (this.#ends[index] ?? 0) - chunk.byteLength;
      if (offset >= end) break;
      found.push(chunk.subarray(Math.max(0, start - offset), Math.min(chunk.byteLength, end - offset)));
    }
    return found;
  }

  slice(start: number, end: number = this.length): string {
    return this.range(start, end).map(asText).join('');
  }

  /** The place of a character, or -1. */
  indexOf(character: string): number {
    const index = this.#chunks.findIndex((chunk) => chunk.includes(character.charCodeAt(0)));
    const chunk = this.#chunks[index];
    if (chunk === undefined) return -1;
    return (this.#ends[index] ?? 0) - chunk.byteLength + chunk.indexOf(character.charCodeAt(0));
  }

  /** The same without line breaks; itself where it has none. */
  withoutBreaks(): LongBase64 {
    return this.#hasBreaks ? new LongBase64(this.#chunks.map(withoutBreaks), false) : this;
  }

  /** As JSON and everything else that wants a text sees it. */
  toString(): string {
    return this.#chunks.map(asText).join('');
  }

  toJSON(): string {
    return this.toString();
  }

  /** The first chunk that ends behind a place. */
  #chunkAt(place: number): number {
    let [low, high] = [0, this.#ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const asText = (chunk: Uint8Array): string =>
  Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');

const withoutBreaks = (chunk: Uint8Array): Uint8Array => {
  const kept = new Uint8Array(chunk.byteLength);
  let length = 0;
  for (const byte of chunk) {
    kept[length] = byte;
    if (!isBreak(byte)) length += 1;
  }
  return kept.subarray(0, length);
};
