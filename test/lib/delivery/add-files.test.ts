import { describe, expect, test } from 'vitest';
import { addFiles } from '../../../src/lib/delivery/add-files.ts';
import { Unfinished } from '../../../src/lib/delivery/draft-request.ts';
import { RANGE_BYTES } from '../../../src/lib/sending/draft-files.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aBlobOf, aFileOf, DRAFT_MAILBOX } from '../../support/a-draft-plan.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const BYTES = 2 * RANGE_BYTES + 1;
const LARGE = aBlobOf(BYTES, 'large.bin');
const UNTIL = new Date(NOW.getTime() + 60_000);

const answered = (status: number, more: object = {}): SendReport => ({ kind: 'answered', status, ...more });
const LOST: SendReport = { kind: 'lost', why: 'timeout' };

const upload = async (prepare: (world: World) => void = () => undefined, files = [LARGE]) => {
  const world = inMemoryPorts();
  world.blobs.set('large.bin', { content: Buffer.alloc(BYTES, 'pay slip'), etag: '"1"' });
  world.exchange.put({ id: 'd' });
  const slept: number[] = [];
  const clock = { ...world.needs.clock, sleep: async (ms: number) => void slept.push(ms) };
  prepare(world);
  const stopped = await addFiles(
    { ...world.needs, clock },
    { mailbox: DRAFT_MAILBOX, draftId: 'd', until: UNTIL },
    files,
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  const outcome = stopped instanceof Unfinished ? stopped.outcome : stopped;
  return { ...world, slept, outcome, attached: world.exchange.drafts[0]?.files };
};

const WHOLE = [{ name: 'large.bin', bytes: BYTES }];

describe('a large file', () => {
  test('is read and uploaded a range at a time, never whole', async () => {
    const reads: [number, number][] = [];
    const { attached, effects } = await upload((world) => {
      const { read } = world.needs.attachments;
      Object.assign(world.needs.attachments, {
        read: (name: string, etag: string, start: number, count: number) => {
          reads.push([start, count]);
          return read(name, etag, start, count);
        },
      });
    });
    expect(attached).toEqual(WHOLE);
    expect(reads).toEqual([
      [0, RANGE_BYTES],
      [RANGE_BYTES, RANGE_BYTES],
      [2 * RANGE_BYTES, 1],
    ]);
    expect(effects).toEqual(['drafts.openUpload', 'upload.put', 'upload.put', 'upload.put']);
  });

  test('in the email itself is cut where it is, and arrives whole', async () => {
    const { attached } = await upload(undefined, [aFileOf(Buffer.alloc(BYTES, 'abc'), 'large.bin')]);
    expect(attached).toEqual(WHOLE);
  });

  test('waits for a draft that another server of Exchange does not know yet', async () => {
    const { attached, slept } = await upload(({ exchange }) =>
      exchange.fault('drafts.openUpload', { report: answered(404) }, { report: answered(404) }),
    );
    expect(attached).toEqual(WHOLE);
    expect(slept).toEqual([500, 1000]);
  });

  test('is given up where the draft stays unknown', async () => {
    const { outcome, slept } = await upload(({ exchange }) =>
      exchange.fault('drafts.openUpload', ...Array.from({ length: 9 }, () => ({ report: answered(404) }))),
    );
    expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
    expect(slept).toHaveLength(4);
  });
});

describe('a range that fails', () => {
  test.each<[string, SendReport, boolean, readonly string[]]>([
    ['and was not taken, is sent again', answered(503), false, ['upload.put', 'upload.ask', 'upload.put']],
    ['and was taken, is not sent again', LOST, true, ['upload.put', 'upload.ask']],
  ])('%s: the session says where to go on', async (_case, report, happens, requests) => {
    const { attached, effects } = await upload(({ exchange }) =>
      exchange.fault('upload.put', { report, happens }),
    );
    expect(attached).toEqual(WHOLE);
    expect(effects).toEqual(['drafts.openUpload', ...requests, 'upload.put', 'upload.put']);
  });

  test('is sent again where the session does not say; where it refuses that, another session begins anew', async () => {
    const { attached, effects } = await upload(({ exchange }) => {
      exchange.fault('upload.put', { report: LOST, happens: true });
      exchange.fault('upload.ask', { report: answered(405) });
    });
    expect(attached).toEqual(WHOLE);
    expect(effects).toEqual([
      'drafts.openUpload',
      'upload.put',
      'upload.ask',
      'upload.put',
      'drafts.openUpload',
      'upload.put',
      'upload.put',
      'upload.put',
    ]);
  });

  test.each([401, 403, 404, 410])(
    'with %i is of a session that has ended: another begins anew',
    async (status) => {
      const { attached, effects } = await upload(({ exchange }) =>
        exchange.fault('upload.put', undefined, { report: answered(status) }),
      );
      expect(attached).toEqual(WHOLE);
      expect(effects.filter((effect) => effect === 'drafts.openUpload')).toHaveLength(2);
    },
  );

  test('again and again ends the attempt, after growing pauses', async () => {
    const { outcome, slept } = await upload(({ exchange }) =>
      exchange.fault('upload.put', ...Array.from({ length: 9 }, () => ({ report: answered(500) }))),
    );
    expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
    expect(slept).toEqual([500, 2000, 5000, 10_000]);
  });

  test('because Graph wants a short pause, goes on after that', async () => {
    const { attached, slept } = await upload(({ exchange }) =>
      exchange.fault('upload.put', { report: answered(429, { retryAfter: '3' }) }),
    );
    expect([attached, slept]).toEqual([WHOLE, [3000]]);
  });

  test('because Graph wants a long pause, ends the attempt: the mailbox is closed for that time', async () => {
    const { outcome, slept } = await upload(({ exchange }) =>
      exchange.fault('upload.put', { report: answered(429, { retryAfter: '120' }) }),
    );
    expect(outcome).toEqual({ kind: 'not-sent', code: 'GRAPH_THROTTLED', waitMs: 120_000, status: 429 });
    expect(slept).toEqual([]);
  });

  test.each([
    [413, 'MAIL_TOO_LARGE_FOR_MAILBOX'],
    [400, 'GRAPH_REFUSED'],
  ])('with %i is not sent again: it would be refused again', async (status, code) => {
    const { outcome, effects } = await upload(({ exchange }) =>
      exchange.fault('upload.put', { report: answered(status) }),
    );
    expect(outcome).toMatchObject({ kind: 'rejected', code });
    expect(effects).toEqual(['drafts.openUpload', 'upload.put']);
  });
});

describe('the last range', () => {
  test('whose answer is lost is not followed by another session, which could attach the file twice', async () => {
    const { outcome, attached } = await upload(({ exchange }) =>
      exchange.fault('upload.put', undefined, undefined, { report: LOST, happens: true }),
    );
    expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
    expect(attached).toEqual(WHOLE);
  });

  test.each([401, 403, 404, 409, 410, 416, 429, 500, 503])(
    'that is answered %i after it was taken is not sent again: the draft is given up',
    async (status) => {
      const { outcome, attached, effects } = await upload(({ exchange }) =>
        exchange.fault('upload.put', undefined, undefined, { report: answered(status), happens: true }),
      );
      expect(outcome).toMatchObject({ kind: 'not-sent' });
      expect(attached).toEqual(WHOLE);
      expect(effects.filter((effect) => effect === 'drafts.openUpload')).toHaveLength(1);
    },
  );

  test('that was not taken is sent again, as the session says so', async () => {
    const { outcome, attached } = await upload(({ exchange }) =>
      exchange.fault('upload.put', undefined, undefined, { report: LOST }),
    );
    expect([outcome, attached]).toEqual([undefined, WHOLE]);
  });

  test('after which Graph does not say that the file is attached, ends the attempt', async () => {
    const { outcome } = await upload(({ exchange }) =>
      exchange.fault('upload.put', undefined, undefined, { report: answered(200) }),
    );
    expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
  });
});

test.each([401, 404, 429, 500, 503])(
  'a small file that is answered %i after it was taken is not posted again: the draft is given up',
  async (status) => {
    const { outcome, attached } = await upload(
      ({ exchange }) => exchange.fault('drafts.attach', { report: answered(status), happens: true }),
      [aFileOf(Buffer.from('hello'), 'small.txt')],
    );
    expect(outcome).toMatchObject({ kind: 'not-sent' });
    expect(attached).toEqual([{ name: 'small.txt', bytes: 5 }]);
  },
);

test('no file is begun when the time is over, so that there is time left to send', async () => {
  const { outcome, effects } = await upload(({ pass }) => pass(60_000));
  expect(outcome).toMatchObject({ kind: 'not-sent', code: 'DRAFT_UNFINISHED' });
  expect(effects).toEqual([]);
});
