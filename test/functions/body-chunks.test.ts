import { expect, test } from 'vitest';
import { chunksOf } from '../../src/functions/body-chunks.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A body of these chunks, that then goes on for ever where it does not end. */
const bodyOf = (chunks: readonly string[], ends: boolean) => {
  const body = { isCanceled: false };
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(bytes(chunk));
      if (ends) controller.close();
    },
    cancel: () => {
      body.isCanceled = true;
    },
  });
  return { stream: stream as never, body };
};

const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
  return text;
};

test('a body is given as it arrives, to its end', async () => {
  const { stream } = bodyOf(['ab', 'cd'], true);
  expect(await textOf(chunksOf(stream, new AbortController().signal))).toBe('abcd');
  expect(await textOf(chunksOf(null, new AbortController().signal))).toBe('');
});

test('one that stops is given up at its deadline, so that it holds no memory, and is canceled', async () => {
  const { stream, body } = bodyOf(['ab'], false);
  const deadline = new AbortController();
  const chunks = chunksOf(stream, deadline.signal);
  expect((await chunks.next()).value).toEqual(bytes('ab'));
  const next = chunks.next();
  deadline.abort();
  await expect(next).rejects.toMatchObject({ code: 'REQUEST_TOO_SLOW' });
  expect(body.isCanceled).toBe(true);
});

test('one that comes after its deadline is not read', async () => {
  const { stream } = bodyOf(['ab'], false);
  await expect(chunksOf(stream, AbortSignal.abort()).next()).rejects.toMatchObject({
    code: 'REQUEST_TOO_SLOW',
  });
});

test('one that is left early is canceled', async () => {
  const { stream, body } = bodyOf(['ab', 'cd'], false);
  for await (const _ of chunksOf(stream, new AbortController().signal)) break;
  expect(body.isCanceled).toBe(true);
});
