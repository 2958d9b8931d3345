import { expect, test } from 'vitest';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { openUploadSession, readSession } from '../../../src/lib/graph/upload-session.ts';
import { scriptedServer } from './scripted-server.ts';

test.each<[string, string, object]>([
  ['at first', '{"nextExpectedRanges":["0-"]}', { nextStart: 0 }],
  ['as a bare number', '{"nextExpectedRanges":["2097152"]}', { nextStart: 2_097_152 }],
  ['as a range', '{"nextExpectedRanges":["26-100"]}', { nextStart: 26 }],
  ['with a capital', '{"NextExpectedRanges":["5"]}', { nextStart: 5 }],
  ['as a number', '{"nextExpectedRanges":[7]}', { nextStart: 7 }],
  ['not at all', '{"nextExpectedRanges":[]}', {}],
  ['in words', '{"nextExpectedRanges":["all"]}', {}],
  ['as no JSON', '<html>', {}],
  ['in place of an error', '{"error":{"code":"invalidRange"}}', { upstreamCode: 'invalidRange' }],
  ['with a code that could quote content', '{"error":{"code":"a b@c"}}', {}],
])('where an upload goes on, said %s', (_case, text, expected) => {
  expect(readSession(text)).toEqual(expected);
});

test('a range goes to the address as it is, in one request, without a token of ours', async () => {
  const server = await scriptedServer((_request, response) => {
    response.writeHead(200, { 'Retry-After': '3' }).end('{"nextExpectedRanges":["8"]}');
  });
  const upload = openUploadSession(openHttps(), `${server.url}/api/Sessions('a b')?authtoken=t`, 30_000);
  expect(await upload.put(Buffer.from('12345'), 3, 20)).toEqual({
    kind: 'answered',
    status: 200,
    retryAfter: '3',
    nextStart: 8,
  });
  const [{ method, path, headers } = { method: '', path: '', headers: {} }] = server.seen;
  expect(server.seen).toHaveLength(1);
  expect([method, path]).toEqual(['PUT', "/api/Sessions('a%20b')?authtoken=t"]);
  expect(headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': '5',
    'content-range': 'bytes 3-7/20',
  });
  expect(headers).not.toHaveProperty('authorization');
});

test('a redirect is reported and not followed: it could lead anywhere', async () => {
  const elsewhere = await scriptedServer((_request, response) => void response.writeHead(201).end());
  const server = await scriptedServer(
    (_request, response) => void response.writeHead(307, { Location: elsewhere.url }).end(),
  );
  const upload = openUploadSession(openHttps(), `${server.url}/a`, 30_000);
  expect(await upload.put(Buffer.from('1'), 0, 1)).toEqual({ kind: 'answered', status: 307 });
  expect(elsewhere.seen).toEqual([]);
});

test('a connection that breaks, and one that cannot be made, are reported apart', async () => {
  const server = await scriptedServer((_request, response) => void response.destroy());
  expect(await openUploadSession(openHttps(), `${server.url}/a`, 30_000).ask()).toEqual({
    kind: 'lost',
    why: 'connection',
  });
  expect(await openUploadSession(openHttps(), 'https://127.0.0.1:1/a', 30_000).ask()).toEqual({
    kind: 'not-connected',
  });
});
