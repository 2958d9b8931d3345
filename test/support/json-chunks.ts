/** The text of pieces that are never joined elsewhere. */
export const joined = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString();

/** A text as storage gives it: in chunks, which belong to who reads them. */
export async function* chunked(text: string, size = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

/** All of what storage gives, as a text. */
export const textOf = async (chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> => {
  if (chunks === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const chunk of chunks) pieces.push(chunk);
  return joined(pieces);
};
