import { chmod, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DropFolder } from '../../../clients/smtp-door/src/drop-folder/drop-folder.ts';
import { judgeFile } from '../../../clients/smtp-door/src/drop-folder/judge-file.ts';
import type { Delivered, Submission } from '../../../clients/smtp-door/src/submission.ts';
import { aFolder, aLog } from './a-spool.ts';

const ACCOUNT = { name: 'erp', networks: [], replaceFrom: false };
const SETTINGS = { bareLineEnds: 'mend', otherRecipients: 'remove' } as const;
const EML = 'From: erp@contoso.example\r\nTo: chan@contoso.example\r\nSubject: Order\r\n\r\nText\r\n';
const SENT: Delivered = { kind: 'accepted', id: 'm', state: 'sent' };
const MAX_BYTES = 3_000_000;
const LATER: Delivered = { kind: 'later', code: '451', enhanced: '4.4.1', text: 'Later.' };

const start = async (
  deliver: (submission: Submission) => Promise<Delivered> | Delivered = () => SENT,
  change: { readonly sent?: 'keep' | 'delete'; readonly folder?: string } = {},
) => {
  const folder = change.folder ?? (await aFolder());
  const { log, events, facts } = aLog();
  const got: Submission[] = [];
  let time = Date.now();
  const dropFolder = new DropFolder(
    { folder, account: 'erp', sent: change.sent ?? 'keep', maxBytes: MAX_BYTES },
    {
      judge: (bytes) => judgeFile(bytes, ACCOUNT, SETTINGS),
      deliver: async (submission) => {
        got.push(submission);
        return deliver(submission);
      },
      now: () => new Date(time),
      log,
    },
  );
  const files = async (...path: string[]): Promise<readonly string[]> =>
    (await readdir(join(folder, ...path), { withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  return {
    folder,
    dropFolder,
    got,
    events,
    facts,
    files,
    put: (name: string, content: string | Buffer = EML) => writeFile(join(folder, name), content),
    look: async (times = 2) => {
      for (let count = 0; count < times; count += 1) await dropFolder.look();
    },
    advance: (ms: number) => {
      time += ms;
    },
  };
};

describe('a file in the drop folder', () => {
  test('is sent when it has not changed between two looks, and is then in sent/', async () => {
    const { put, look, got, files } = await start();
    await put('order.eml');
    await look(1);
    expect(got.length).toBe(0);
    await look(1);
    expect(got.map(({ account, contentType, body }) => [account, contentType, body.toString()])).toEqual([
      ['erp', 'message/rfc822', EML],
    ]);
    expect([await files(), await files('sent')]).toEqual([[], ['order.eml']]);
    await look();
    expect(got.length).toBe(1);
  });

  test('that is still being written waits', async () => {
    const { put, look, got, folder } = await start();
    await put('order.eml', EML.slice(0, 40));
    await look(1);
    await put('order.eml', EML);
    await look(1);
    expect(got.length).toBe(0);
    // Another file under the same name is another one, although it has the same size.
    await put('order.tmp', EML.replace('Order', 'Other'));
    await rename(join(folder, 'order.tmp'), join(folder, 'order.eml'));
    await look(1);
    expect(got.length).toBe(0);
    await look(1);
    expect(got.map(({ body }) => body.includes('Other'))).toEqual([true]);
  });

  test('is deleted after sending where the settings say so', async () => {
    const { put, look, files } = await start(undefined, { sent: 'delete' });
    await put('order.eml');
    await look();
    expect([await files(), await files('sent')]).toEqual([[], []]);
  });

  test('has the same idempotency key after a crash between sending and moving', async () => {
    const folder = await aFolder();
    // It cannot be moved, as if the door had ended before that.
    const crash = async (): Promise<Delivered> => {
      await rm(join(folder, 'sent'), { recursive: true });
      await writeFile(join(folder, 'sent'), '');
      return SENT;
    };
    const first = await start(crash, { folder });
    await first.put('order.eml');
    await first.look();
    expect(await first.files()).toContain('order.eml');
    await rm(join(first.folder, 'sent'));
    const second = await start(undefined, { folder: first.folder });
    await second.look();
    expect(await second.files('sent')).toEqual(['order.eml']);
    expect(second.got.map(({ idempotencyKey }) => idempotencyKey)).toEqual([first.got[0]?.idempotencyKey]);
  });

  test.each(['keep', 'delete'] as const)(
    'that is put there again is a second email, also if it keeps its name, content and time (%s)',
    async (sent) => {
      const { put, look, got, folder, files } = await start(undefined, { sent });
      for (const _ of [1, 2, 3]) {
        await put('alarm.eml');
        await utimes(join(folder, 'alarm.eml'), 1_700_000_000, 1_700_000_000);
        await look();
      }
      expect(new Set(got.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
      expect([await files(), (await files('sent')).length]).toEqual([[], sent === 'keep' ? 3 : 0]);
    },
  );

  test('keeps its key while the relay is unavailable, also if its rights change', async () => {
    let answer: Delivered = LATER;
    const { put, look, got, folder, advance } = await start(() => answer);
    await put('order.eml');
    await look();
    await chmod(join(folder, 'order.eml'), 0o600);
    answer = SENT;
    advance(5_000);
    await look();
    expect(got.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      got[1]?.idempotencyKey,
      got[0]?.idempotencyKey,
    ]);
  });

  test('begins after a byte order mark', async () => {
    const { put, look, got } = await start();
    await put('order.eml', `\uFEFF${EML}`);
    await look();
    expect(got.map(({ body }) => body.toString())).toEqual([EML]);
  });

  test('keeps the key that its program gave it', async () => {
    const { put, look, got } = await start();
    await put('order.eml', `X-Idempotency-Key: order-4711\r\n${EML}`);
    await look();
    expect(got.map(({ idempotencyKey, body }) => [idempotencyKey, body.includes('order-4711')])).toEqual([
      ['order-4711', false],
    ]);
  });

  test.each([
    ['small', 'Text\r\n'],
    ['large', `${'x'.repeat(70)}\r\n`.repeat(30_000)],
  ])('of the pickup directory of .NET goes to its X-Receiver, also if it is %s', async (_, text) => {
    const { put, look, got } = await start();
    const people = ['chan', 'wong'].map((name) => `X-Receiver: ${name}@contoso.example\r\n`).join('');
    await put('a.eml', `X-Sender: erp@contoso.example\r\n${people}${EML}${text}`);
    await look();
    const [{ body, contentType } = { body: Buffer.alloc(0) }] = got;
    const recipients =
      contentType === 'message/rfc822'
        ? /^Bcc: (.*)\r$/m.exec(body.toString())?.[1]
        : JSON.stringify(JSON.parse(body.toString()).bcc);
    expect(recipients).toContain('wong@contoso.example');
    expect(body.toString().match(/wong@/g)?.length).toBe(1);
  });

  test('with an X-Receiver that is no address is not sent to the others alone', async () => {
    const { put, look, got, files } = await start();
    await put('a.eml', `X-Receiver: chan@contoso.example\r\nX-Receiver: wong\r\n${EML}`);
    await look();
    expect([got, await files('failed')]).toEqual([[], ['a.eml', 'a.eml.reason.json']]);
  });

  test.each([
    ['that the relay refuses', EML, 'RELAY_REFUSED', 'Not this sender.'],
    ['that is no email', 'junk', 'MESSAGE_REFUSED', 'no sender address'],
    [
      'that is larger than the door takes',
      `${EML}${'x'.repeat(MAX_BYTES)}`,
      'FILE_TOO_LARGE',
      '3000000 bytes',
    ],
  ])('%s is in failed/ with the reason beside it', async (_, content, reason, text) => {
    const { put, look, files, folder, dropFolder, events, facts } = await start(() => ({
      kind: 'refused',
      code: '550',
      enhanced: '5.7.1',
      text: 'Not this sender.',
    }));
    await put('order.eml', content);
    await look();
    expect([await files(), await files('sent'), await files('failed')]).toEqual([
      [],
      [],
      ['order.eml', 'order.eml.reason.json'],
    ]);
    const written = JSON.parse(await readFile(join(folder, 'failed/order.eml.reason.json'), 'utf8'));
    expect(written).toMatchObject({ reason, text: expect.stringContaining(text) });
    expect(dropFolder.facts.failed).toBe(1);
    expect(events).toEqual(['FileFailed']);
    expect(facts).toEqual([expect.objectContaining({ file: 'order.eml', reason })]);
  });

  test('stays while the relay is unavailable, and is tried again later', async () => {
    let answer: Delivered = LATER;
    const { put, look, got, files, advance } = await start(() => answer);
    await put('order.eml');
    await look(5);
    expect([got.length, await files()]).toEqual([1, ['order.eml']]);
    answer = SENT;
    advance(5_000);
    await look(1);
    expect([got.length, await files('sent')]).toEqual([2, ['order.eml']]);
  });

  test('that is empty may be about to be written; after a minute it has failed', async () => {
    const { put, look, files, advance, folder } = await start();
    await put('order.eml', '');
    await utimes(join(folder, 'order.eml'), 4_000_000_000, 4_000_000_000);
    await look(3);
    expect(await files()).toEqual(['order.eml']);
    advance(120_000);
    await look();
    expect(await files('failed')).toEqual(['order.eml', 'order.eml.reason.json']);
  });
});

describe('everything else in the drop folder', () => {
  test('is left alone: other files, folders and links', async () => {
    const { put, look, got, files, folder, dropFolder } = await start();
    await put('readme.txt');
    await put('order.eml.tmp');
    await mkdir(join(folder, 'folder.eml'));
    await symlink('/etc/hostname', join(folder, 'link.eml'));
    await look(3);
    expect([got, await files()]).toEqual([[], ['link.eml', 'order.eml.tmp', 'readme.txt']]);
    expect(dropFolder.facts).toEqual({ failed: 0, fault: undefined });
  });

  test('has no effect through its name', async () => {
    const { put, look, got, files } = await start();
    const names = [
      'a b;rm -rf $HOME `x`.eml',
      '-rf.eml',
      '..eml',
      '\u202egnp.EML',
      `${'n'.repeat(251)}.eml`,
      'a\nb.eml',
    ];
    for (const name of names) await put(name);
    await look();
    expect([got.length, await files(), (await files('sent')).length]).toEqual([
      names.length,
      [],
      names.length,
    ]);
  });

  test.skipIf(process.platform === 'win32')(
    'whose name is not UTF-8 is left alone and reported (not on Windows)',
    async () => {
      const { look, folder, dropFolder, got } = await start();
      await writeFile(
        Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff]), Buffer.from('.eml')]),
        EML,
      );
      await look();
      expect(got).toEqual([]);
      expect(dropFolder.facts.fault).toContain('not in UTF-8');
    },
  );
});

test('a folder that cannot be used is reported', async () => {
  const { put, look, dropFolder, folder, events } = await start(undefined, {
    folder: join(await aFolder(), 'gone'),
  });
  await look();
  expect(dropFolder.facts.fault).toBe(
    'The drop folder cannot be used (ENOENT). Make the folder, or correct "dropFolder" in the configuration.',
  );
  await mkdir(folder);
  await look();
  expect(dropFolder.facts.fault).toBeUndefined();
  await put('order.eml');
  await rename(join(folder, 'failed'), join(folder, 'elsewhere'));
  await writeFile(join(folder, 'failed'), 'not a folder');
  await look();
  expect(dropFolder.facts.fault).toContain('cannot be used (EEXIST)');
  expect(events).toContain('DropFolderFault');
});
