/** What Entra publishes has some 10 KB. */
const MOST_BYTES = 256 * 1024;
/** A caller waits for it. */
const PATIENCE_MS = 5000;

/** Reads a JSON document of Entra: from the address that settings name and no other, and never more than it can have. */
export const readJson = async (url: string): Promise<unknown> => {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`Expected status 200 of ${new URL(url).host}, received ${response.status}.`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`Expected at most ${MOST_BYTES} bytes, received more.`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
};
