import type { MakeOneRequest } from '../graph/one-request.ts';

/** What Entra publishes has some 10 KB. */
const MOST_BYTES = 256 * 1024;
/** A caller waits for it. */
const PATIENCE_MS = 5000;

/** Reads JSON documents of Entra: from the address that settings name and no other, and never more than they can have. */
export const makeReadJson =
  (request: MakeOneRequest) =>
  async (url: string): Promise<unknown> => {
    const answer = await request({
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Error(`Expected status 200 of ${new URL(url).host}, received ${answer.statusCode}.`);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw new Error(`Expected at most ${MOST_BYTES} bytes, received more.`);
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  };
