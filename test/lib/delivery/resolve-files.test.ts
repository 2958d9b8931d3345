import { describe, expect, test } from 'vitest';
import { resolveFiles } from '../../../src/lib/delivery/resolve-files.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { MAX_POSTED_BYTES, type PlanPolicy } from '../../../src/lib/sending/send-plan.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const STANDARD: PlanPolicy = { largeAttachments: false, delivery: 'standard' };
const LARGE: PlanPolicy = { largeAttachments: true, delivery: 'standard' };

/** Ports with blobs of these sizes, each filled with the first letter of its name. */
const withBlobs = (sizes: Readonly<Record<string, number>>) => {
  const world = inMemoryPorts();
  for (const [name, bytes] of Object.entries(sizes))
    world.blobs.set(name, { content: Buffer.alloc(bytes, name[0]), etag: `"${name}-1"` });
  return world;
};

const naming = (...names: readonly string[]) =>
  readMail(aMail({ attachments: names.map((blob) => ({ blob })) }));

const refusal = async (resolved: Promise<unknown>): Promise<AppError> => {
  const error = await resolved.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error('expected an AppError');
  return error;
};

describe('blobs of an email that fits one request', () => {
  test('are read, each once, and are files as any other', async () => {
    const { needs, asked } = withCount(withBlobs({ 'a/x.txt': 10, 'b.txt': 0 }));
    const mail = naming('a/x.txt', 'b.txt', 'a/x.txt');
    const { files } = await resolveFiles(needs, mail, STANDARD);
    expect(files).toEqual([
      fileOf('x.txt', 'a'.repeat(10)),
      fileOf('b.txt', ''),
      fileOf('x.txt', 'a'.repeat(10)),
    ]);
    expect(asked).toEqual({ find: 2, read: 1 });
  });

  test('stay beside files that are in the email', async () => {
    const { needs } = withBlobs({ b: 3 });
    const mail = readMail(
      aMail({
        attachments: [
          { filename: 'first.txt', content: 'AAAA' },
          { blob: 'b', filename: 'second.txt' },
        ],
      }),
    );
    const { files } = await resolveFiles(needs, mail, STANDARD);
    expect(files.map(({ filename, bytes }) => [filename, bytes])).toEqual([
      ['first.txt', 3],
      ['second.txt', 3],
    ]);
  });

  test('that change while they are read are refused: nobody looked at their size', async () => {
    const world = withBlobs({ a: 10 });
    const attachments = {
      ...world.needs.attachments,
      find: async (name: string) => {
        const found = await world.needs.attachments.find(name);
        world.blobs.set(name, { content: Buffer.alloc(20), etag: '"a-2"' });
        return found;
      },
    };
    const error = await refusal(resolveFiles({ attachments }, naming('a'), STANDARD));
    expect(error).toMatchObject({ code: 'ATTACHMENT_CHANGED' });
    expect(error.facts.problems?.[0]?.received).toContain('replaced or deleted');
  });
});

describe('blobs of an email that needs more than one request', () => {
  test.each([
    ['one that is too large by itself', { a: MAX_POSTED_BYTES + 1 }],
    ['several that are too large together', { a: 2_000_000, b: 2_000_000 }],
  ])('%s: stay where they are, in the version that was seen', async (_, sizes) => {
    const { needs, asked } = withCount(withBlobs(sizes));
    const { files } = await resolveFiles(needs, naming(...Object.keys(sizes)), LARGE);
    expect(files.map(({ bytes, source }) => ({ bytes, source }))).toEqual(
      Object.entries(sizes).map(([name, bytes]) => ({
        bytes,
        source: { kind: 'blob', name, etag: `"${name}-1"` },
      })),
    );
    expect(asked.read).toBe(0);
  });

  test('are refused without MAIL_LARGE_ATTACHMENTS, with size, limit and the setting', async () => {
    const { needs, asked } = withCount(withBlobs({ a: 140_000_000 }));
    const { code, facts } = await refusal(resolveFiles(needs, naming('a'), STANDARD));
    expect(code).toBe('MAIL_TOO_LARGE');
    for (const part of ['140000000', '4000000', 'MAIL_LARGE_ATTACHMENTS'])
      expect(facts.detail).toContain(part);
    expect(asked.read).toBe(0);
  });

  test('are refused above what Exchange takes, whatever the settings are', async () => {
    const { needs } = withBlobs({ a: 1, b: 150_000_001 });
    const { code, facts } = await refusal(resolveFiles(needs, naming('a', 'b'), LARGE));
    expect([code, facts.problems?.map(({ pointer }) => pointer)]).toEqual([
      'MAIL_TOO_LARGE',
      ['/attachments/1'],
    ]);
  });

  test('also small ones, where every email is a draft', async () => {
    const { needs } = withBlobs({ a: 1 });
    const { files } = await resolveFiles(needs, naming('a'), { ...STANDARD, delivery: 'exact' });
    expect(files[0]?.source.kind).toBe('blob');
  });
});

test('blobs that are not there are all told, each at its place, without their names', async () => {
  const { needs } = withBlobs({ here: 1 });
  const { code, facts } = await refusal(resolveFiles(needs, naming('here', 'gone', 'lost'), STANDARD));
  expect([code, facts.problems?.map(({ pointer }) => pointer)]).toEqual([
    'ATTACHMENT_NOT_FOUND',
    ['/attachments/1/blob', '/attachments/2/blob'],
  ]);
  expect(JSON.stringify(facts)).not.toMatch(/gone|lost/);
});

test('at most eight blobs are asked for at one time', async () => {
  const world = withBlobs(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`b${index}`, 1])));
  let open = 0;
  let most = 0;
  const attachments = {
    ...world.needs.attachments,
    find: async (name: string) => {
      open += 1;
      most = Math.max(most, open);
      const found = await world.needs.attachments.find(name);
      open -= 1;
      return found;
    },
  };
  const { files } = await resolveFiles({ attachments }, naming(...world.blobs.keys()), STANDARD);
  expect([files.length, most]).toEqual([30, 8]);
});

test('files take room, and where there is none the email is refused before they are read', async () => {
  const { needs, asked } = withCount(withBlobs({ a: 1_000_000 }));
  const room = { add: (bytes: number) => bytes < 1_300_000 };
  expect(await refusal(resolveFiles({ ...needs, room }, naming('a'), STANDARD))).toMatchObject({
    code: 'RELAY_BUSY',
  });
  expect(asked.read).toBe(0);
});

test('an email without blobs asks storage nothing', async () => {
  const { needs, asked } = withCount(withBlobs({}));
  await resolveFiles(needs, readMail(aMail()), STANDARD);
  expect(asked).toEqual({ find: 0, read: 0 });
});

const fileOf = (filename: string, text: string) => ({
  filename,
  contentType: 'text/plain',
  bytes: text.length,
  source: { kind: 'base64', content: Buffer.from(text).toString('base64') },
});

/** The same, and how often it was asked. */
const withCount = ({ needs }: ReturnType<typeof withBlobs>) => {
  const asked = { find: 0, read: 0 };
  const attachments: typeof needs.attachments = {
    find: (name) => {
      asked.find += 1;
      return needs.attachments.find(name);
    },
    read: (...which) => {
      asked.read += 1;
      return needs.attachments.read(...which);
    },
  };
  return { needs: { attachments }, asked };
};
