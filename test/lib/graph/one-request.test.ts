import http2 from 'node:http2';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NeverConnected, openHttps } from '../../../src/lib/graph/one-request.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';
import { graphCall, SEND_MAIL } from './graph-call-for-tests.ts';
import { scriptedServer } from './scripted-server.ts';

const post = {
  method: 'POST',
  path: SEND_MAIL,
  contentType: 'application/json',
  body: Buffer.from('{"message":{}}'),
} as const;
const large = { ...post, body: Buffer.from(JSON.stringify({ message: 'x'.repeat(3_900_000) })) };

const listening = async (server: net.Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('one attempt is one request on the wire', () => {
  test('whatever the status is, a header beside it, and whether the connection was kept', async () => {
    let answer = { status: 202, headers: {} };
    const server = await scriptedServer((_request, response) =>
      response.writeHead(answer.status, answer.headers).end(),
    );
    const call = graphCall(server.url);
    const headers = fc.constantFrom(
      {},
      { 'retry-after': '1' },
      { location: `${server.url}/elsewhere` },
      { 'proxy-authenticate': 'Basic' },
      { connection: 'close' },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 200, max: 599 }), headers, async (status, beside) => {
        answer = { status, headers: beside };
        const before = server.seen.length;
        expect(await call(post)).toMatchObject({ kind: 'answered', status });
        expect(server.seen.length - before).toBe(1);
      }),
      {
        examples: [
          [421, {}],
          [407, { 'proxy-authenticate': 'Basic' }],
          [401, {}],
          [408, {}],
          [425, {}],
        ],
      },
    );
  });

  test('or none, where its time is over when the connection stands, be it new or kept', async () => {
    const server = await scriptedServer((_request, response) => response.writeHead(202).end());
    const call = graphCall(server.url);
    expect(await call({ ...post, mayBegin: () => false })).toEqual({ kind: 'not-connected' });
    expect(await call({ ...post, mayBegin: () => true })).toMatchObject({ kind: 'answered', status: 202 });
    expect(await call({ ...post, mayBegin: () => false })).toEqual({ kind: 'not-connected' });
    expect(await call(post)).toMatchObject({ kind: 'answered', status: 202 });
    expect(server.seen).toHaveLength(2);
  });

  test('a status that is none is an answer nobody understands, after one request', async () => {
    const server = await scriptedServer((_request, response) => {
      response.socket?.end('HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n');
    });
    expect(await graphCall(server.url)(post)).toEqual({ kind: 'lost', why: 'connection' });
    expect(server.seen).toHaveLength(1);
  });

  test('100 Continue and early hints are not the answer', async () => {
    const server = await scriptedServer((_request, response) => {
      response.writeContinue();
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.writeHead(202).end();
    });
    expect(await graphCall(server.url)(post)).toMatchObject({ kind: 'answered', status: 202 });
    expect(server.seen).toHaveLength(1);
  });

  test('another protocol that is offered is not taken: HTTP/1.1, with the length of the body', async () => {
    const seen: object[] = [];
    const identity = await trustedCertificate();
    const server = http2.createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
      const { httpVersion, headers } = request;
      seen.push({ httpVersion, length: headers['content-length'], encoding: headers['transfer-encoding'] });
      response.writeHead(202).end();
    });
    const url = await listening(server);
    expect(await graphCall(url)(post)).toMatchObject({ kind: 'answered', status: 202 });
    expect(seen).toEqual([{ httpVersion: '1.1', length: '14', encoding: undefined }]);
  });

  test('an upgrade nobody asked for is a lost answer', async () => {
    const server = await scriptedServer((_request, response) => {
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
    });
    expect(await graphCall(server.url)(post)).toEqual({ kind: 'lost', why: 'connection' });
    expect(server.seen).toHaveLength(1);
  });
});

describe('a connection', () => {
  test('serves the next mail, also after a refusal and after a 202 with a body', async () => {
    const statuses = [202, 403, 202, 503, 202];
    const server = await scriptedServer((_request, response) => {
      response.writeHead(statuses[server.seen.length - 1] ?? 202).end('{"some":"body"}');
    });
    const call = graphCall(server.url);
    for (const status of statuses) expect(await call(post)).toMatchObject({ status });
    expect([server.seen.length, server.connections()]).toEqual([5, 1]);
  });

  test('that was kept and is cut has an unknown outcome: the request is not made again', async () => {
    const server = await scriptedServer((_request, response) => {
      if (server.seen.length === 1) response.writeHead(202).end();
      else response.socket?.destroy();
    });
    const call = graphCall(server.url);
    await call(post);
    expect(await call(post)).toEqual({ kind: 'lost', why: 'connection' });
    expect([server.seen.length, server.connections()]).toEqual([2, 1]);
  });

  test('cut in the middle of the headers, or silent until our deadline, has an unknown outcome', async () => {
    const cut = await scriptedServer((_request, response) => {
      response.socket?.end('HTTP/1.1 202 Accepted\r\ncontent-le');
    });
    expect(await graphCall(cut.url)(post)).toEqual({ kind: 'lost', why: 'connection' });
    const silent = await scriptedServer(() => {});
    expect(await graphCall(silent.url, { timeoutMs: 2000 })(post)).toEqual({ kind: 'lost', why: 'timeout' });
    expect([cut.seen.length, silent.seen.length]).toEqual([1, 1]);
  });

  test('on which TLS never begins was never made, also when it is our deadline that ends it', async () => {
    const arrived: Buffer[] = [];
    const sockets: net.Socket[] = [];
    const url = await listening(
      net.createServer((socket) => sockets.push(socket.on('data', (chunk) => arrived.push(chunk)))),
    );
    expect(await graphCall(url, { timeoutMs: 200 })(post)).toEqual({ kind: 'not-connected' });
    for (const socket of sockets) socket.destroy();
    expect(Buffer.concat(arrived).includes('sendMail')).toBe(false);
  });
});

describe('an answer that comes before the mail was read', () => {
  const refusing = async (closes: boolean) => {
    let requests = 0;
    const server = https.createServer(await trustedCertificate(), (_request, response) => {
      requests += 1;
      response.writeHead(413, closes ? { connection: 'close' } : {}).end();
    });
    const url = await listening(server);
    onTestFinished(() => server.closeAllConnections());
    return { url, requests: () => requests };
  };

  test.each([
    ['stays open', false],
    ['is closed behind it', true],
  ])('is the answer, when the connection %s', async (_case, closes) => {
    const { url, requests } = await refusing(closes);
    const answer = await graphCall(url)(large);
    // Where the close overtakes the answer nobody knows, which is the safe side.
    if (!closes || answer.kind === 'answered') expect(answer).toMatchObject({ status: 413 });
    else expect(answer).toEqual({ kind: 'lost', why: 'connection' });
    expect(requests()).toBe(1);
  });
});

test('a body that comes slowly is read until our deadline, and the status counts', async () => {
  const server = await scriptedServer((_request, response) => {
    response.writeHead(503, { 'retry-after': '7', 'content-length': '1000' });
    response.write('{"error":');
  });
  const answer = await graphCall(server.url, { timeoutMs: 2000 })(post);
  expect(answer).toMatchObject({ kind: 'answered', status: 503, retryAfter: '7' });
});

test('where settings name a proxy, it is used, and its refusal means that nothing was sent', async () => {
  const asked: string[] = [];
  const target = await scriptedServer((_request, response) => response.writeHead(202).end());
  const proxy = net.createServer((socket) => {
    socket.once('data', (chunk) => {
      asked.push(String(chunk).split('\r\n')[0] ?? '');
      if (asked.length > 1) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const behind = net.connect(Number(new URL(target.url).port), '127.0.0.1');
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(behind).pipe(socket);
      for (const end of [socket, behind]) end.on('error', () => {});
      socket.on('close', () => behind.destroy());
    });
  });
  const proxyUrl = (await listening(proxy)).replace('https', 'http');
  const { host } = new URL(target.url);
  const through = () => graphCall(target.url, { proxyEnv: { HTTPS_PROXY: proxyUrl } });
  expect(await through()(post)).toMatchObject({ kind: 'answered', status: 202 });
  const proxyRefusal = `The proxy answered 407 to a connection to ${host}.`;
  expect(await through()(post)).toEqual({ kind: 'not-connected', proxyRefusal });
  expect(asked).toEqual([`CONNECT ${host} HTTP/1.1`, `CONNECT ${host} HTTP/1.1`]);
  expect(target.seen).toHaveLength(1);
});

test('a proxy that makes a tunnel and is silent then is no connection, long before the deadline of the request', async () => {
  const arrived: Buffer[] = [];
  const sockets: net.Socket[] = [];
  const proxy = net.createServer((socket) => {
    sockets.push(socket);
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        if (arrived.push(chunk) === 1) socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      });
  });
  const HTTPS_PROXY = (await listening(proxy)).replace('https', 'http');
  const request = openHttps({ HTTPS_PROXY }, 300);
  const { signal } = new AbortController();
  const sent = request({
    url: 'https://graph.example/',
    method: 'POST',
    headers: {},
    body: large.body,
    signal,
  });
  await expect(sent).rejects.toThrow(NeverConnected);
  for (const socket of sockets) socket.destroy();
  expect(Buffer.concat(arrived).toString('latin1')).toMatch(/^CONNECT graph\.example:443 /);
});
