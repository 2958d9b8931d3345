import PostalMime, { type Email } from 'postal-mime';

/** What the parser keeps of a part, and what it does not declare. */
type Decoder = {
  chunks: readonly (ArrayBuffer | Uint8Array | string)[];
  update: (line: Uint8Array) => void;
  finalize: () => Promise<ArrayBuffer>;
};
type Node = {
  contentDecoder: Decoder | null;
  readonly postalMime: object;
  setupContentDecoder: (encoding: string) => void;
};

const MOST_CHUNKS = 1024;
/** As many as the relay reads in a whole message. */
const MOST_PARTS = 1000;

const joined = (chunks: Decoder['chunks']): Buffer =>
  Buffer.concat(
    chunks.map((chunk) =>
      typeof chunk === 'string'
        ? Buffer.from(chunk)
        : chunk instanceof ArrayBuffer
          ? new Uint8Array(chunk)
          : chunk,
    ),
  );

/** Puts chunks together as they come. */
const keepInBlocks = (decoder: Decoder): void => {
  const [update, finalize] = [decoder.update.bind(decoder), decoder.finalize.bind(decoder)];
  const blocks: Buffer[] = [];
  const pack = (): void => {
    blocks.push(joined(decoder.chunks));
    decoder.chunks = [];
  };
  decoder.update = (line) => {
    update(line);
    if (decoder.chunks.length >= MOST_CHUNKS) pack();
  };
  decoder.finalize = () => {
    pack();
    decoder.chunks = blocks;
    return finalize();
  };
};

/** Of each message that is read. */
const parts = new WeakMap<object, number>();

const countPart = (parser: object): void => {
  const count = (parts.get(parser) ?? 0) + 1;
  parts.set(parser, count);
  if (count > MOST_PARTS) throw new Error(`Expected at most ${MOST_PARTS} parts, received more.`);
};

/**
 * The parser keeps each line of a part by itself and makes a Blob of them, which for a million short lines takes a minute and
 * gigabytes; nor does it limit parts. It has no option for that, so its nodes are changed where it sets up how they decode.
 */
const { root } = new PostalMime() as unknown as { readonly root: Node };
const nodes = Object.getPrototypeOf(root) as Node;
const { setupContentDecoder } = nodes;
nodes.setupContentDecoder = function (this: Node, encoding): void {
  countPart(this.postalMime);
  setupContentDecoder.call(this, encoding);
  if (this.contentDecoder !== null) keepInBlocks(this.contentDecoder);
};

/** The parts of a message; undefined where they are too many or too deep for the parser. */
export const parseMime = async (bytes: Buffer): Promise<Email | undefined> => {
  try {
    return await PostalMime.parse(bytes, { forceRfc822Attachments: true });
  } catch {
    return undefined;
  }
};
