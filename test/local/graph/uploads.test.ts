import { readdir, readFile } from 'node:fs/promises';
import http from 'node:https';
import { describe, expect, test } from 'vitest';
import { readAttachment } from '../../../local/inbox/attachment-content.ts';
import { openMailStore } from '../../../local/inbox/mail-store.ts';
import { inFolder } from '../certificate-for-tests.ts';
import {
  aMessage,
  ask,
  draft,
  errorOf,
  type GraphForTests,
  graphForTests,
  type Message,
  pathOf,
  refusalOf,
  until,
} from './graph-for-tests.ts';

const MB = 1_000_000;
const SIZE = 5 * MB;
/** Not the same byte everywhere, so that a wrong order shows. */
const FILE = new Uint8Array(SIZE).map((_, index) => (index * 7 + Math.floor(index / 251)) % 256);

type Session = { uploadUrl: string; expirationDateTime: string; nextExpectedRanges: string[] };

const openSession = (graph: GraphForTests, one: Message, item: Record<string, unknown> = {}) =>
  ask(graph, 'POST', `${pathOf(one)}/attachments/createUploadSession`, {
    json: { AttachmentItem: { attachmentType: 'file', name: 'large.bin', size: SIZE, ...item } },
  });

async function session(
  graph: GraphForTests,
  one: Message,
  item: Record<string, unknown> = {},
): Promise<Session> {
  const response = await openSession(graph, one, item);
  if (response.status !== 201) throw new Error(await response.text());
  return (await response.json()) as Session;
}

const put = (
  { uploadUrl }: Session,
  start: number,
  end: number,
  headers: Record<string, string> = {},
  body: Uint8Array<ArrayBuffer> = FILE.slice(start, end),
) =>
  fetch(uploadUrl, {
    method: 'PUT',
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `bytes ${start}-${end - 1}/${SIZE}`,
      ...headers,
    },
    body,
  });

const sendIt = (graph: GraphForTests, one: Message) => ask(graph, 'POST', `${pathOf(one)}/send`);

async function withSession(options: Parameters<typeof graphForTests>[0] = {}) {
  const graph = await graphForTests(options);
  const one = await draft(graph);
  return { graph, one, open: await session(graph, one) };
}

const filesOf = (graph: GraphForTests) =>
  graph.captured.map(({ request }) => request.body.message.attachments ?? []);

describe('an upload session', () => {
  test('is opened for a draft, on another host, with a token of its own', async () => {
    const { graph, open } = await withSession();
    expect(open).toEqual({
      '@odata.context': expect.any(String),
      uploadUrl: expect.stringMatching(/AttachmentSessions\('[\w=-]+'\)\?authtoken=[\w-]{100,}$/),
      expirationDateTime: '2026-03-02T09:00:00.250Z',
      nextExpectedRanges: ['0-'],
    });
    expect(new URL(open.uploadUrl).origin).toBe(graph.uploadUrl);
    expect(graph.uploadUrl).not.toBe(graph.url);
  });

  const refused: [what: string, item: Record<string, unknown>, code: string][] = [
    ['below 3 MB', { size: 3 * MB - 1 }, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize'],
    ['above 150 MB', { size: 150 * MB + 1 }, 'ErrorAttachmentSizeLimitExceeded'],
    ['without a name', { name: '' }, 'ErrorInvalidRequest'],
    ['with a size that is no number', { size: '5000000' }, 'RequestBodyRead'],
    ['of another type', { attachmentType: 'item' }, 'RequestBodyRead'],
    ['with an unknown property', { colour: 'red' }, 'RequestBodyRead'],
  ];
  test.each(refused)('is refused for a file %s', async (_what, item, code) => {
    const graph = await graphForTests();
    expect(await refusalOf(await openSession(graph, await draft(graph), item))).toEqual([400, code]);
  });

  test('is there for files of exactly 3 MB and 150 MB', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    expect((await openSession(graph, one, { size: 3 * MB })).status).toBe(201);
    expect((await openSession(graph, one, { size: 150 * MB })).status).toBe(201);
  });
});

describe('a file', () => {
  test('arrives range by range, is attached with the last, and is sent from disk', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const open = await session(graph, one, { contentType: 'image/png', isInline: true, contentId: 'logo' });
    const first = await put(open, 0, 2_097_152);
    expect(first.status).toBe(200);
    expect(await first.json()).toEqual({
      '@odata.context': expect.any(String),
      ExpirationDateTime: open.expirationDateTime,
      nextExpectedRanges: ['2097152'],
    });
    const last = await put(open, 2_097_152, SIZE);
    expect([last.status, last.headers.get('content-length'), await last.text()]).toEqual([201, '0', '']);
    const listed = (await (await ask(graph, 'GET', `${pathOf(one)}/attachments`)).json()) as {
      value: Message[];
    };
    expect(listed.value).toMatchObject([
      { name: 'large.bin', size: SIZE, isInline: true, contentId: 'logo' },
    ]);
    expect(last.headers.get('location')).toMatch(/^https:.*\/Messages\('.+'\)\/Attachments\('.+'\)$/);
    expect(last.headers.get('location')).toContain(listed.value[0]?.id);

    expect((await sendIt(graph, one)).status).toBe(202);
    const [[file] = []] = filesOf(graph);
    expect(file).toEqual({
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'large.bin',
      contentType: 'image/png',
      isInline: true,
      contentId: 'logo',
      contentFile: expect.any(String),
      size: SIZE,
    });
    expect(Buffer.compare(await readAttachment(graph.captured[0]!, file!), Buffer.from(FILE))).toBe(0);
  });

  test('that is not complete is missing from what is sent, and nobody says so', async () => {
    const { graph, one, open } = await withSession();
    await put(open, 0, 4 * MB);
    expect((await sendIt(graph, one)).status).toBe(202);
    expect(filesOf(graph)).toEqual([[]]);
    expect(await refusalOf(await put(open, 4 * MB, SIZE))).toEqual([404, 'uploadSessionNotFound']);
  });

  test('that was complete twice is there once', async () => {
    const { graph, one, open } = await withSession();
    await put(open, 0, 4 * MB);
    await put(open, 4 * MB, SIZE);
    expect(await refusalOf(await put(open, 4 * MB, SIZE))).toEqual([404, 'uploadSessionNotFound']);
    await sendIt(graph, one);
    expect(filesOf(graph)[0]).toHaveLength(1);
  });
});

describe('a range', () => {
  test('whose answer was lost is asked for, and not taken twice', async () => {
    const { graph, open } = await withSession();
    graph.faults.add({ on: 'uploadRange', fault: { kind: 'reset', when: 'after' } });
    await expect(put(open, 0, MB)).rejects.toThrow(/fetch failed/);
    const progress = await fetch(open.uploadUrl);
    expect(await progress.json()).toMatchObject({ nextExpectedRanges: ['1000000'] });
    expect(await refusalOf(await put(open, 0, MB))).toEqual([416, 'invalidRange']);
    expect((await put(open, MB, 2 * MB)).status).toBe(200);
  });

  test('that was lost on the way is asked for again', async () => {
    const { graph, open } = await withSession();
    graph.faults.add({ on: 'uploadRange', fault: { kind: 'reset', when: 'before' } });
    await expect(put(open, 0, MB)).rejects.toThrow(/fetch failed/);
    expect(await (await fetch(open.uploadUrl)).json()).toMatchObject({ nextExpectedRanges: ['0-'] });
    expect((await put(open, 0, MB)).status).toBe(200);
  });

  test('can be answered with 429, and with 504 after it was taken', async () => {
    const { graph, open } = await withSession();
    graph.faults.add({ on: 'uploadRange', fault: { kind: 'answer', status: 429, retryAfter: '3' } });
    graph.faults.add({ on: 'uploadRange', fault: { kind: 'answer', status: 504, accept: true } });
    expect((await put(open, 0, MB)).status).toBe(429);
    expect((await put(open, 0, MB)).status).toBe(504);
    expect((await put(open, MB, 2 * MB)).status).toBe(200);
  });

  test('whose client left half-way counts for nothing', async () => {
    const { graph, open } = await withSession();
    const request = http.request(open.uploadUrl, {
      method: 'PUT',
      headers: {
        'content-type': 'application/octet-stream',
        'content-range': `bytes 0-${MB - 1}/${SIZE}`,
        'content-length': MB,
      },
    });
    request.on('error', () => undefined);
    request.write(new Uint8Array(MB / 2));
    await until(() => graph.requests.list().at(-1)?.method === 'PUT');
    request.destroy();
    await until(() => graph.requests.list().at(-1)?.outcome === 'client left');
    expect(await (await fetch(open.uploadUrl)).json()).toMatchObject({ nextExpectedRanges: ['0-'] });
    expect((await put(open, 0, MB)).status).toBe(200);
  });

  const refused: [
    what: string,
    start: number,
    end: number,
    headers: Record<string, string>,
    status: number,
    says: RegExp,
  ][] = [
    ['out of order', MB, 2 * MB, {}, 416, /begins at 0, received 1000000/],
    ['of more than 4 MB', 0, 4 * MB + 1, {}, 400, /at most 4000000 bytes/],
    ['without Content-Range', 0, MB, { 'content-range': '' }, 400, /bytes 0-<last>\/5000000/],
    ['of another total', 0, MB, { 'content-range': 'bytes 0-999999/*' }, 400, /another form/],
    ['of another size', 0, MB, { 'content-range': 'bytes 0-999999/6000000' }, 400, /total of 5000000/],
    ['beyond the end', 0, MB, { 'content-range': 'bytes 0-5000000/5000000' }, 400, /within 5000000/],
    ['that ends before it begins', 0, MB, { 'content-range': 'bytes 1-0/5000000' }, 400, /within/],
    [
      'of another length',
      0,
      MB,
      { 'content-range': 'bytes 0-1999999/5000000' },
      400,
      /Content-Length of 2000000/,
    ],
    ['of another type', 0, MB, { 'content-type': 'application/json' }, 415, /application\/octet-stream/],
  ];
  test.each(refused)('is refused %s', async (_what, start, end, headers, status, says) => {
    const { open } = await withSession();
    const response = await put(open, start, end, headers);
    expect(response.status).toBe(status);
    expect((await errorOf(response)).message).toMatch(says);
    expect((await put(open, 0, MB)).status).toBe(200);
  });

  test('is refused with an Authorization header, whatever is in it', async () => {
    const { open } = await withSession();
    const response = await put(open, 0, MB, { authorization: 'Bearer x' });
    expect(await refusalOf(response)).toEqual([401, 'InvalidAuthenticationToken']);
  });

  test('is refused at a URL that was changed', async () => {
    const { open } = await withSession();
    for (const uploadUrl of [`${open.uploadUrl}x`, open.uploadUrl.split('?')[0]!, `${open.uploadUrl}&a=b`])
      expect(await refusalOf(await put({ ...open, uploadUrl }, 0, MB))).toEqual([
        404,
        'uploadSessionNotFound',
      ]);
  });

  test('is refused when the session has expired', async () => {
    const { graph, open } = await withSession();
    await put(open, 0, MB);
    graph.pass(3_600_000);
    expect(await refusalOf(await put(open, MB, 2 * MB))).toEqual([404, 'uploadSessionNotFound']);
  });

  test('is refused once the session was cancelled', async () => {
    const { open } = await withSession();
    expect((await fetch(open.uploadUrl, { method: 'DELETE' })).status).toBe(204);
    expect(await refusalOf(await put(open, 0, MB))).toEqual([404, 'uploadSessionNotFound']);
  });

  test('beyond what the mailbox takes in a message is refused', async () => {
    const { open } = await withSession({ limits: { on: true, messageBytes: 4 * MB } });
    await put(open, 0, 4 * MB);
    expect(await refusalOf(await put(open, 4 * MB, SIZE))).toEqual([400, 'ErrorMessageSizeExceeded']);
  });

  test('counts towards the 150 MB that an app may bring to a mailbox in five minutes', async () => {
    const { graph, open } = await withSession({ limits: { on: true, bytesPerFiveMinutes: 3 * MB } });
    expect((await put(open, 0, 2 * MB)).status).toBe(200);
    const response = await put(open, 2 * MB, 4 * MB);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '300']);
    graph.pass(300_000);
    expect((await put(open, 2 * MB, 4 * MB)).status).toBe(200);
  });

  test('is listed without the token of its URL', async () => {
    const { graph, open } = await withSession();
    await put(open, 0, MB);
    expect(graph.requests.list().at(-1)).toMatchObject({
      method: 'PUT',
      mailbox: 'noreply@contoso.example',
      path: new URL(open.uploadUrl).pathname,
      status: 200,
    });
    expect(JSON.stringify(graph.requests.list())).not.toContain('authtoken');
  });
});

describe('files on disk', () => {
  test('move into the inbox, outlive a restart and go with the email', () =>
    inFolder(async (folder) => {
      const store = await openMailStore({ folder: `${folder}/inbox` });
      const graph = await graphForTests({ uploadFolder: `${folder}/uploads`, capture: store.capture });
      const one = await draft(graph);
      const open = await session(graph, one);
      await put(open, 0, 4 * MB);
      await put(open, 4 * MB, SIZE);
      await sendIt(graph, one);
      expect(await readdir(`${folder}/uploads`)).toEqual([]);
      const [id = ''] = store.list().mails.map(({ summary }) => summary.ID);
      expect((await readFile(`${folder}/inbox/${id}.json`)).length).toBeLessThan(10_000);

      const later = await openMailStore({ folder: `${folder}/inbox` });
      const mail = await later.find(id);
      const [file] = mail?.request.body.message.attachments ?? [];
      expect(Buffer.compare(await readAttachment(mail!, file!), Buffer.from(FILE))).toBe(0);
      await later.remove([id]);
      expect(await readdir(`${folder}/inbox`)).toEqual([]);
    }));

  test('of drafts that are deleted, cancelled or sent incomplete are deleted', () =>
    inFolder(async (folder) => {
      const graph = await graphForTests({ uploadFolder: folder });
      const [one, two, three] = [await draft(graph), await draft(graph), await draft(graph)];
      const opened = await Promise.all([one, two, three].map((each) => session(graph, each)));
      const json = {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'medium.bin',
        contentBytes: Buffer.alloc(MB).toString('base64'),
      };
      await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json });
      expect(await readdir(folder)).toHaveLength(4);
      await ask(graph, 'DELETE', pathOf(one));
      await sendIt(graph, two);
      await fetch(opened[2]!.uploadUrl, { method: 'DELETE' });
      expect(await readdir(folder)).toEqual([]);
    }));

  test('of drafts of an earlier run are deleted with them', () =>
    inFolder(async (folder) => {
      const before = await graphForTests({ uploadFolder: folder });
      await session(before, await draft(before, aMessage()));
      await before.close();
      await graphForTests({ uploadFolder: folder });
      expect(await readdir(folder)).toEqual([]);
    }));
});
