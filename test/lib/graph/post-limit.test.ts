import { describe, expect, test } from 'vitest';
import { readAttachment } from '../../../local/inbox/attachment-content.ts';
import { sizeOfAttachment } from '../../../src/lib/inbox/attachment-content.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { graphForTests } from '../../local/graph/graph-for-tests.ts';
import { aMail } from '../../support/a-mail.ts';
import { draftsOn, sendAsDraft } from './send-through-graph.ts';

const LARGE = { largeAttachments: true, delivery: 'standard' } as const;
/** As many bytes as a name in a file system may have, each character of three. */
const LONGEST_NAME = `${'薪'.repeat(83)}.bin`;

/** No two parts of it are the same. */
const bytesOf = (count: number): Buffer =>
  Buffer.from(
    Uint32Array.from({ length: count / 4 + 1 }, (_, index) => index * 2_654_435_761).buffer,
  ).subarray(0, count);

/** Sends a file of so many bytes, and says by which calls it went and what of it arrived. */
const send = async (content: Buffer, from: 'the email' | 'a blob') => {
  const graph = await graphForTests();
  const file = from === 'a blob' ? { blob: 'a.bin' } : { content: content.toString('base64') };
  const mail = readMail(aMail({ attachments: [{ filename: LONGEST_NAME, ...file }] }));
  const { outcome } = await sendAsDraft(draftsOn(graph), mail, {
    policy: LARGE,
    blobs: new Map([['a.bin', content]]),
  });
  const [captured] = graph.captured;
  const arrived = captured?.request.body.message.attachments ?? [];
  return {
    outcome,
    posts: graph.requests.list().filter(({ path }) => path.endsWith('/attachments')).length,
    sessions: graph.requests.list().filter(({ path }) => path.endsWith('/createUploadSession')).length,
    sizes: arrived.map(sizeOfAttachment),
    isWhole: arrived[0] !== undefined && (await readAttachment(captured!, arrived[0])).equals(content),
  };
};

describe.each(['the email', 'a blob'] as const)('a file in %s', (from) => {
  test.each([2_999_900, 2_999_950, 2_999_997, 2_999_998, 2_999_999])(
    'of %i bytes is posted to the draft, though its request can have more than 4,000,000 bytes',
    async (bytes) => {
      expect(await send(bytesOf(bytes), from)).toEqual({
        outcome: expect.objectContaining({ kind: 'accepted' }),
        posts: 1,
        sessions: 0,
        sizes: [bytes],
        isWhole: true,
      });
    },
  );

  test.each([3_000_000, 3_000_001])('of %i bytes goes by an upload session', async (bytes) => {
    expect(await send(bytesOf(bytes), from)).toEqual({
      outcome: expect.objectContaining({ kind: 'accepted' }),
      posts: 0,
      sessions: 1,
      sizes: [bytes],
      isWhole: true,
    });
  });
});
