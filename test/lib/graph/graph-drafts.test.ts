import { describe, expect, test } from 'vitest';
import { openGraphDrafts } from '../../../src/lib/graph/graph-drafts.ts';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { toMessage } from '../../../src/lib/sending/json-message.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { graphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { aMail } from '../../support/a-mail.ts';
import { graphCall, MAILBOX } from './graph-call-for-tests.ts';
import { scriptedServer } from './scripted-server.ts';

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc90';
const NOW = new Date('2026-03-02T08:00:00Z');
const MESSAGE = {
  contentType: 'application/json',
  body: Buffer.from(
    JSON.stringify(toMessage(MAIL_ID, { address: MAILBOX }, outgoing(readMail(aMail({ text: 'Grüße' }))))),
  ),
} as const;

const draftsOn = (endpoint: string, roles: readonly string[] = ['Mail.Send', 'Mail.ReadWrite']) =>
  openGraphDrafts(graphCall(endpoint, { readToken: () => tokenWith({ roles: [...roles] }) }), openHttps(), {
    endpoint,
    timeoutMs: 30_000,
    now: () => NOW,
  });

const exchange = async (roles?: readonly string[]) => {
  const graph = await graphForTests();
  return { graph, drafts: draftsOn(graph.url, roles) };
};

const made = async (drafts: ReturnType<typeof draftsOn>) => {
  const { report, draft } = await drafts.create(MAILBOX, MESSAGE);
  expect(report).toMatchObject({ kind: 'answered', status: 201 });
  return draft!;
};

describe('a draft through Graph', () => {
  test('is made, given its files, sent, and found as sent by the id it had from the beginning', async () => {
    const { graph, drafts } = await exchange();
    graph.settings.change({ transportDelayMs: 5000 });
    const draft = await made(drafts);
    expect(draft.internetMessageId).toMatch(/^<.+@.+>$/);
    const body = Buffer.from(
      JSON.stringify({
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'a.txt',
        contentType: 'text/plain',
        contentBytes: 'YQ==',
      }),
    );
    expect(await drafts.attach(MAILBOX, draft.id, body)).toMatchObject({ status: 201 });
    expect(await drafts.look(MAILBOX, draft.id)).toEqual({ kind: 'draft' });
    expect(await drafts.send(MAILBOX, draft.id)).toMatchObject({ kind: 'answered', status: 202 });
    graph.pass(5000);
    expect(await drafts.look(MAILBOX, draft.id)).toEqual({
      kind: 'found',
      internetMessageId: draft.internetMessageId,
    });
    expect(graph.captured).toHaveLength(1);
    expect(graph.captured[0]?.request.body.message.attachments).toMatchObject([{ name: 'a.txt' }]);
  });

  test('gets a large file in ranges, on the other host, and it arrives whole', async () => {
    const { drafts } = await exchange();
    const { id } = await made(drafts);
    const content = Buffer.alloc(3_500_000, 'pay slip ');
    const { upload, nextStart } = await drafts.openUpload(MAILBOX, id, {
      attachmentType: 'file',
      name: 'big.bin',
      size: content.length,
      contentType: 'application/octet-stream',
    });
    expect(nextStart).toBe(0);
    const half = content.subarray(0, 2_000_001);
    expect(await upload!.put(half, 0, content.length)).toMatchObject({ status: 200, nextStart: half.length });
    expect(await upload!.ask()).toMatchObject({ status: 200, nextStart: half.length });
    const rest = content.subarray(half.length);
    expect(await upload!.put(rest, half.length, content.length)).toMatchObject({ status: 201 });
    expect(await drafts.send(MAILBOX, id)).toMatchObject({ status: 202 });
  });

  test('that was removed is gone, and cannot be removed or sent again', async () => {
    const { drafts } = await exchange();
    const { id } = await made(drafts);
    expect(await drafts.remove(MAILBOX, id)).toBe('removed');
    expect(await drafts.remove(MAILBOX, id)).toBe('gone');
    expect(await drafts.look(MAILBOX, id)).toEqual({ kind: 'absent' });
    expect(await drafts.send(MAILBOX, id)).toMatchObject({ status: 404 });
  });

  test('of an email is listed by the property it carries, until it is sent', async () => {
    const { drafts } = await exchange();
    const { id } = await made(drafts);
    expect(await drafts.listOf(MAILBOX, MAIL_ID)).toMatchObject([{ id }]);
    expect(await drafts.listOf(MAILBOX, MAIL_ID.replace(/0$/, '1'))).toEqual([]);
    await drafts.send(MAILBOX, id);
    expect(await drafts.listOf(MAILBOX, MAIL_ID)).toEqual([]);
  });

  test('of the day before is listed with the email it is of, and one of today is not', async () => {
    const { graph, drafts } = await exchange();
    const { id } = await made(drafts);
    graph.pass(1000);
    const createdAt = new Date('2026-03-02T08:00:00Z');
    const olderThan = (ms: number) => drafts.listBefore(MAILBOX, new Date(createdAt.getTime() + ms));
    expect(await olderThan(1000)).toEqual([{ id, createdAt, mailId: MAIL_ID }]);
    expect(await olderThan(-1000)).toEqual([]);
  });

  test('is not made without Mail.ReadWrite, and Graph says so', async () => {
    const { drafts } = await exchange(['Mail.Send', 'Mail.Read']);
    expect(await drafts.create(MAILBOX, MESSAGE)).toEqual({
      report: expect.objectContaining({ status: 403, upstreamCode: 'ErrorAccessDenied' }),
    });
  });
});

test('every request asks for immutable ids, and sending has no body', async () => {
  const server = await scriptedServer((_request, response) => void response.writeHead(404).end());
  const drafts = draftsOn(server.url);
  await drafts.create(MAILBOX, MESSAGE);
  await drafts.mark(MAILBOX, 'a/b=', MAIL_ID);
  await drafts.attach(MAILBOX, 'a/b=', Buffer.from('{}'));
  await drafts.openUpload(MAILBOX, 'a/b=', {
    attachmentType: 'file',
    name: 'a',
    size: 1,
    contentType: 'b/c',
  });
  await drafts.send(MAILBOX, 'a/b=');
  await drafts.look(MAILBOX, 'a/b=');
  await drafts.remove(MAILBOX, 'a/b=');
  await drafts.listOf(MAILBOX, MAIL_ID);
  await drafts.listBefore(MAILBOX, NOW);
  expect(server.seen.map(({ headers }) => headers.prefer)).toEqual(
    Array.from({ length: 9 }, () => 'IdType="ImmutableId"'),
  );
  const [, marked, , , sent] = server.seen;
  expect(marked).toMatchObject({ method: 'PATCH', path: expect.stringMatching(/\/messages\/a%2Fb%3D$/) });
  expect(sent).toMatchObject({ method: 'POST', path: expect.stringMatching(/\/messages\/a%2Fb%3D\/send$/) });
  expect(sent?.headers['content-length']).toBe('0');
});

const answering = async (status: number, body: unknown) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const server = await scriptedServer((_request, response) => void response.writeHead(status).end(text));
  return draftsOn(server.url);
};
const ITEM = { attachmentType: 'file', name: 'a', size: 1, contentType: 'b/c' } as const;

test('an answer that repeats a large email is read to its end', async () => {
  const drafts = await answering(201, { body: { content: 'x'.repeat(3_000_000) }, id: 'AAk=' });
  expect(await drafts.create(MAILBOX, MESSAGE)).toMatchObject({ draft: { id: 'AAk=' } });
});

test.each([
  ['has no id', {}],
  ['has an id that no path could have', { id: '../users/ada' }],
  ['is no JSON', '<html>'],
])('a draft is not known where the answer %s', async (_case, body) => {
  const { draft } = await (await answering(201, body)).create(MAILBOX, MESSAGE);
  expect(draft).toBeUndefined();
});

test.each([
  ['another host', 'https://files.evil.example/up?authtoken=t', 'files.evil.example'],
  ['a host of Microsoft by http', 'http://127.0.0.1/up', '127.0.0.1'],
  ['no address', 'up', ''],
])('a file is not given to %s', async (_case, uploadUrl, strangeHost) => {
  const opened = await (await answering(201, { uploadUrl })).openUpload(MAILBOX, 'a', ITEM);
  expect(opened).toMatchObject({ strangeHost });
  expect(opened).not.toHaveProperty('upload');
});

test.each<[string, number, unknown, object]>([
  ['a draft', 200, { isDraft: true }, { kind: 'draft' }],
  [
    'what was sent',
    200,
    { isDraft: false, internetMessageId: '<a@b>' },
    { kind: 'found', internetMessageId: '<a@b>' },
  ],
  ['an answer that does not say', 200, {}, { kind: 'not-now' }],
  ['an answer that is no JSON', 200, '<html>', { kind: 'not-now' }],
  ['nothing', 404, {}, { kind: 'absent' }],
  ['a busy mailbox', 429, {}, { kind: 'not-now', status: 429 }],
  ['a fault', 500, {}, { kind: 'not-now', status: 500 }],
  [
    'no permission',
    403,
    { error: { code: 'ErrorAccessDenied' } },
    { kind: 'cannot-tell', upstreamCode: 'ErrorAccessDenied' },
  ],
])('a look at a draft that shows %s', async (_case, status, body, expected) => {
  expect(await (await answering(status, body)).look(MAILBOX, 'a')).toEqual(expected);
});

test.each<[number, string]>([
  [204, 'removed'],
  [404, 'gone'],
  [200, 'failed'],
  [403, 'failed'],
  [503, 'failed'],
])('a removal answered with %i is %s', async (status, expected) => {
  expect(await (await answering(status, '')).remove(MAILBOX, 'a')).toBe(expected);
});

test('old drafts come with the email they are of; nobody knows any where the list cannot be read', async () => {
  const listed = {
    value: [
      {
        id: 'a',
        createdDateTime: '2026-03-01T00:00:00Z',
        singleValueExtendedProperties: [{ id: 'x', value: MAIL_ID }],
      },
      { id: 'b', createdDateTime: 'soon' },
      { id: 'c', createdDateTime: '2026-03-01T00:00:00Z' },
    ],
  };
  const createdAt = new Date('2026-03-01T00:00:00Z');
  expect(await (await answering(200, listed)).listBefore(MAILBOX, NOW)).toEqual([
    { id: 'a', createdAt, mailId: MAIL_ID },
    { id: 'c', createdAt },
  ]);
  expect(await (await answering(503, '')).listBefore(MAILBOX, NOW)).toBeUndefined();
  expect(await (await answering(200, '{}')).listBefore(MAILBOX, NOW)).toBeUndefined();
});
