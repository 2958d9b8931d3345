import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FolderInUseError, lockFolder } from '../../../clients/smtp-door/src/spool/folder-lock.ts';
import { actOnSpool, listSpool, spoolTable } from '../../../clients/smtp-door/src/spool/spool-desk.ts';
import { readSpoolFile, writeSpoolFile } from '../../../clients/smtp-door/src/spool/spool-file.ts';
import { aFolder, aSpool, NOW } from './a-spool.ts';
import { aSubmission } from './a-submission.ts';

const fileOf = (submission = aSubmission()): Buffer => Buffer.concat(writeSpoolFile(submission));

describe('a file of the spool', () => {
  test('is read as it was written, with bytes of every kind', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const submission = aSubmission({ body: Buffer.from(bytes) });
        expect(readSpoolFile(fileOf(submission))).toEqual(submission);
      }),
    );
  });

  test('that ends at any earlier byte is damaged', () => {
    const file = fileOf();
    for (let length = 0; length < file.length; length += 1)
      expect(readSpoolFile(file.subarray(0, length)), String(length)).toHaveProperty('damage');
  });

  test('whose email has any other byte is damaged', () => {
    const file = fileOf();
    for (let at = file.indexOf('\n') + 1; at < file.length; at += 1) {
      const other = Buffer.from(file);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(readSpoolFile(other), String(at)).toHaveProperty('damage');
    }
  });
});

describe('the spool', () => {
  test('keeps an email that it took, for its user alone, and finds it after a restart', async () => {
    const { spool, folder, open } = await aSpool();
    const submission = aSubmission();
    expect(await spool.keep(submission)).toEqual({ kind: 'spooled' });
    const [name = ''] = await readdir(join(folder, 'waiting'));
    expect((await stat(join(folder, 'waiting', name))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'waiting'))).mode & 0o777).toBe(0o700);
    const again = await open();
    const [waiting] = [...again.waiting];
    expect(waiting && (await again.read(waiting))).toEqual(submission);
  });

  test('discards at its start what a crash left half written, which no client was promised', async () => {
    const { folder, open, events } = await aSpool();
    await writeFile(join(folder, 'drafts', 'x.email'), fileOf().subarray(0, 50));
    const again = await open();
    expect([again.counts.emails, await readdir(join(folder, 'drafts'))]).toEqual([0, []]);
    expect(events).toEqual(['SpoolOpened', 'SpoolOpened']);
  });

  test('gives emails oldest first, also those that come back', async () => {
    const { spool, open } = await aSpool();
    const at = (minute: number) => aSubmission({ receivedAt: new Date(Date.UTC(2026, 10, 26, 10, minute)) });
    for (const minute of [3, 1, 2]) await spool.keep(at(minute));
    const minutes = (of: typeof spool) => [...of.waiting].map(({ receivedAt }) => receivedAt.getUTCMinutes());
    expect([minutes(spool), minutes(await open())]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test.each([
    ['emails', { maxEmails: 2 }],
    ['bytes', { maxBytes: 900 }],
  ])('that has as many %s as it may takes no more, and says so to clients and the log', async (_, limit) => {
    const { spool, events, folder } = await aSpool(limit);
    expect(await spool.keep(aSubmission())).toEqual({ kind: 'spooled' });
    expect(await spool.keep(aSubmission())).toEqual({ kind: 'spooled' });
    expect(await spool.keep(aSubmission({ body: Buffer.alloc(400) }))).toMatchObject({
      kind: 'later',
      code: '452',
      enhanced: '4.3.1',
    });
    expect([events.at(-1), (await readdir(join(folder, 'waiting'))).length]).toEqual(['SpoolFull', 2]);
    await spool.rescan();
    expect(spool.counts.refuses).toBe('FULL');
    for (const waiting of [...spool.waiting]) await spool.remove(waiting);
    await spool.rescan();
    expect(spool.counts.refuses).toBeUndefined();
  });

  test('takes no more than it may, however many clients come together', async () => {
    const { spool } = await aSpool({ maxEmails: 5 });
    const kept = await Promise.all(Array.from({ length: 20 }, () => spool.keep(aSubmission())));
    expect(kept.filter(({ kind }) => kind === 'spooled').length).toBe(5);
    expect(spool.counts.emails).toBe(5);
  });

  test('that cannot write says so, and leaves nothing half written', async () => {
    const { spool, folder, events } = await aSpool();
    // The same as a full disk: the file cannot be made.
    await rm(join(folder, 'drafts'), { recursive: true });
    expect(await spool.keep(aSubmission())).toMatchObject({ kind: 'later', code: '452', enhanced: '4.3.1' });
    expect([events.at(-1), await readdir(join(folder, 'waiting')), spool.counts.emails]).toEqual([
      'SpoolNotWritten',
      [],
      0,
    ]);
    await spool.rescan();
    expect(spool.counts.refuses).toBe('ENOENT');
    await mkdir(join(folder, 'drafts'));
    await spool.rescan();
    expect([spool.counts.refuses, await readdir(join(folder, 'drafts'))]).toEqual([undefined, []]);
  });

  test.skipIf(process.platform === 'win32')(
    'that cannot write an email to its end leaves nothing of it (not on Windows)',
    async () => {
      const folder = await aFolder();
      const url = (file: string): string =>
        JSON.stringify(new URL(`../../../clients/smtp-door/src/spool/${file}`, import.meta.url).href);
      // A file may have 8 blocks of 512 bytes: the system ends the write of a longer one in the middle, as a full disk does.
      const { stdout } = await promisify(execFile)(
        'sh',
        [
          '-c',
          'ulimit -f 8; exec "$0" --input-type=module -e "$1"',
          process.execPath,
          `import { readdir } from 'node:fs/promises';
           import { Spool } from ${url('spool.ts')};
           process.on('SIGXFSZ', () => {});
           const folder = ${JSON.stringify(folder)};
           const events = [];
           const spool = await Spool.open({ folder, maxBytes: 1e6, maxEmails: 9 }, (_, event, { code }) => events.push([event, code]), () => new Date());
           const keep = (id, size) => spool.keep({ id, account: 'a', idempotencyKey: id, receivedAt: new Date(), contentType: 'message/rfc822', body: Buffer.alloc(size) });
           const kept = [(await keep('large', 100_000)).enhanced, (await keep('small', 100)).kind];
           console.log(JSON.stringify({ kept, events: events.slice(1, 2), drafts: await readdir(folder + '/drafts'), emails: spool.counts.emails }));`,
        ],
        // The compiled code of Node is a file too.
        { env: { ...process.env, NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: '1' } },
      );
      expect(JSON.parse(stdout)).toEqual({
        kept: ['4.3.1', 'spooled'],
        events: [['SpoolNotWritten', 'EFBIG']],
        drafts: [],
        emails: 1,
      });
      expect((await readdir(join(folder, 'waiting'))).length).toBe(1);
    },
  );

  test('puts a damaged file apart with the reason, and goes on', async () => {
    const { spool, folder, open, events } = await aSpool();
    for (const _ of [1, 2]) await spool.keep(aSubmission());
    const [first = ''] = (await readdir(join(folder, 'waiting'))).sort();
    const path = join(folder, 'waiting', first);
    await writeFile(path, (await readFile(path)).subarray(0, -3));
    await writeFile(join(folder, 'waiting', '00000000000000-x.email'), 'not of a door');
    const again = await open();
    const read = [];
    for (const waiting of [...again.waiting]) read.push(await again.read(waiting));
    expect(read.filter(Boolean).length).toBe(1);
    expect(again.counts).toMatchObject({ emails: 1, damaged: 2 });
    expect((await readdir(join(folder, 'damaged'))).length).toBe(4);
    expect(events.filter((event) => event === 'SpoolFileDamaged').length).toBe(2);
  });

  test('counts failed emails among those that it may have: the disk is the same', async () => {
    const { spool } = await aSpool({ maxEmails: 1 });
    await spool.keep(aSubmission());
    const [waiting] = [...spool.waiting];
    await spool.fail(waiting!, {
      at: NOW.toISOString(),
      kind: 'refused',
      reason: 'MIME_INVALID',
      text: 'No.',
    });
    expect(spool.counts).toMatchObject({ emails: 0, failed: 1 });
    expect(await spool.keep(aSubmission())).toMatchObject({ code: '452' });
  });
});

describe('an operator', () => {
  const failing = async (kind: 'refused' | 'gave up') => {
    const { spool, folder } = await aSpool();
    const submission = aSubmission();
    await spool.keep(submission);
    const [waiting] = [...spool.waiting];
    await spool.fail(waiting!, {
      at: NOW.toISOString(),
      kind,
      reason: 'SENDER_NOT_ALLOWED',
      text: 'Not this one.',
    });
    return { spool, folder, submission };
  };

  test('sees what waits and what failed, with the reason and nothing of its content', async () => {
    const { spool, folder, submission } = await failing('refused');
    const waiting = aSubmission();
    await spool.keep(waiting);
    const listed = await listSpool(folder);
    expect(listed.map(({ id, state, reason }) => [id, state, reason?.text])).toEqual([
      [waiting.id, 'waiting', undefined],
      [submission.id, 'failed', 'Not this one.'],
    ]);
    expect(spoolTable(listed).split('\n')).toEqual([
      expect.stringMatching(/^ID +STATE +ACCOUNT +RECEIVED +BYTES +REASON$/),
      expect.stringMatching(/^id-\d+ +waiting +scanner +2026-\S+Z +\d+$/),
      expect.stringMatching(/^id-\d+ +failed +scanner +2026-\S+Z +\d+ +Not this one\.$/),
    ]);
  });

  test('sends a refused email again under a new key: the old one has its answer for ever', async () => {
    const { spool, folder, submission } = await failing('refused');
    expect(await actOnSpool(folder, { verb: 'retry', ids: 'failed' }, NOW)).toEqual({
      done: [submission.id],
      maybeSent: [],
      unknown: [],
    });
    await spool.rescan();
    const [waiting] = [...spool.waiting];
    const again = await spool.read(waiting!);
    expect(again?.body).toEqual(submission.body);
    expect(again?.idempotencyKey).not.toBe(submission.idempotencyKey);
    expect(spool.counts).toMatchObject({ emails: 1, failed: 0 });
    expect(await readdir(join(folder, 'failed'))).toEqual([]);
  });

  test('sends an email again under its own key where nobody knows whether it was sent', async () => {
    const { spool, folder, submission } = await failing('gave up');
    await actOnSpool(folder, { verb: 'retry', ids: [submission.id] }, NOW);
    await spool.rescan();
    const [waiting] = [...spool.waiting];
    expect(await spool.read(waiting!)).toEqual({ ...submission, receivedAt: NOW });
  });

  test('removes an email, and learns which ids there are not', async () => {
    const { folder, submission } = await failing('refused');
    expect(await actOnSpool(folder, { verb: 'remove', ids: [submission.id, 'other'] }, NOW)).toEqual({
      done: [submission.id],
      maybeSent: [],
      unknown: ['other'],
    });
    expect(await listSpool(folder)).toEqual([]);
  });

  test('removes an email that was not refused with the word that the relay may have it', async () => {
    const { spool, folder, submission } = await failing('gave up');
    const waiting = aSubmission();
    await spool.keep(waiting);
    const ids = [waiting.id, submission.id];
    expect(await actOnSpool(folder, { verb: 'remove', ids }, NOW)).toEqual({
      done: ids,
      maybeSent: ids,
      unknown: [],
    });
  });
});

describe('the lock of a spool', () => {
  test('keeps a second door away, and says what to do', async () => {
    const folder = await aFolder();
    const { release } = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderInUseError);
    release();
    lockFolder(folder).release();
  });

  test('ends with a process that is killed', async () => {
    const folder = await aFolder();
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { lockFolder } from ${JSON.stringify(new URL('../../../clients/smtp-door/src/spool/folder-lock.ts', import.meta.url).href)};
         lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1e6);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    expect(() => lockFolder(folder)).toThrow(FolderInUseError);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockFolder(folder).release();
  });

  test('says what the system says of a folder that it cannot use', async () => {
    const folder = await aFolder();
    expect(() => lockFolder(join(folder, 'gone'))).toThrow('unable to open database file');
  });
});
