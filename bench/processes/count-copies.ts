import { getCallSites } from 'node:util';

/**
 * Preloaded into the functions host: counts the bytes that code of the built app copies, decodes or encodes. Left out are
 * what the host does and what Node does below JavaScript, such as encryption.
 */
export type CopiedBytes = { readonly copiedBytes: number };
export type AskCopied = { readonly ask: 'copied' };

/** Less is no content of a large file; the check of who calls costs more than such a copy. */
const LEAST_BYTES = 1024;
const MOST_FRAMES = 30;

const app = `${process.env.APP_FOLDER}/dist/`;
let copiedBytes = 0;

const isCalledByApp = (): boolean =>
  getCallSites(MOST_FRAMES, { sourceMap: false }).some(({ scriptName }) =>
    scriptName.replace(/^file:\/\//, '').startsWith(app),
  );

/** Depth of counted calls: one is counted as itself, and not once more for what it is made of. */
let inside = 0;

type Callable = (...given: unknown[]) => unknown;

/** Puts a function in the place of one that does the same and counts what it copied. */
const count = (
  owner: object,
  name: string,
  bytesOf: (result: unknown, given: readonly unknown[], self: unknown) => number,
): void => {
  const original = (owner as Record<string, Callable>)[name] as Callable;
  function counting(this: unknown, ...given: unknown[]): unknown {
    if (inside > 0) return original.apply(this, given);
    inside += 1;
    try {
      const result = original.apply(this, given);
      const bytes = bytesOf(result, given, this);
      if (bytes >= LEAST_BYTES && isCalledByApp()) copiedBytes += bytes;
      return result;
    } finally {
      inside -= 1;
    }
  }
  Object.defineProperty(owner, name, { value: counting, writable: true, configurable: true });
};

const lengthOf = (value: unknown): number => {
  if (typeof value === 'string') return value.length;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value.byteLength;
  return 0;
};
const ofResult = (result: unknown): number => lengthOf(result);

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
// A Buffer of an ArrayBuffer is a view of it.
count(Buffer, 'from', (result, [source]) => (source instanceof ArrayBuffer ? 0 : lengthOf(result)));
count(Buffer, 'concat', ofResult);
count(Buffer.prototype, 'copy', Number);
count(Buffer.prototype, 'write', Number);
// The SDK of storage puts what it has downloaded into its place like this.
count(Buffer.prototype, 'fill', (_, [source], self) =>
  ArrayBuffer.isView(source) ? Math.min(source.byteLength, lengthOf(self)) : 0,
);
count(Buffer.prototype, 'toString', ofResult);
count(typedArray, 'set', (_, [source]) => lengthOf(source));
count(typedArray, 'slice', ofResult);
count(ArrayBuffer.prototype, 'slice', ofResult);
count(TextDecoder.prototype, 'decode', ofResult);
count(TextEncoder.prototype, 'encode', ofResult);
count(JSON, 'parse', (_, [text]) => lengthOf(text));
count(JSON, 'stringify', ofResult);
count(Array.prototype, 'join', ofResult);
count(String.prototype, 'replace', (result, _, self) => (result === self ? 0 : lengthOf(result)));
count(String.prototype, 'replaceAll', (result, _, self) => (result === self ? 0 : lengthOf(result)));

process.on('message', (message) => {
  if ((message as { ask?: unknown } | null)?.ask !== 'copied') return;
  process.send?.({ copiedBytes } satisfies CopiedBytes);
});
