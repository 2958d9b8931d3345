import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  answering,
  answerJson,
  BodyTooLargeError,
  cutConnection,
  listen,
  originOf,
  PortUnavailableError,
  readBody,
} from '../../local/http.ts';
import { trustedCertificate } from './certificate-for-tests.ts';

type Handler = Parameters<typeof answering>[0];

async function started(handle: Handler, port = 0) {
  const server = http.createServer(answering(handle));
  const listening = await listen(server, { name: 'The test stand-in', port, portSetting: 'TEST_PORT' });
  onTestFinished(() => listening.close());
  return listening;
}

async function startedOverTls(handle: Handler) {
  const server = https.createServer({ ...(await trustedCertificate()) }, answering(handle));
  const listening = await listen(server, { name: 'The test stand-in', port: 0, portSetting: 'TEST_PORT' });
  onTestFinished(() => listening.close());
  return listening;
}

const hello: Handler = async (_, response) => answerJson(response, 200, { hello: true });

test('port 0 takes a free port, on this machine only', async () => {
  const server = http.createServer(answering(hello));
  const listening = await listen(server, { name: 'The test stand-in', port: 0, portSetting: 'TEST_PORT' });
  onTestFinished(() => listening.close());
  expect(server.address()).toMatchObject({ address: '127.0.0.1', port: listening.port });
  expect(await (await fetch(listening.url)).json()).toEqual({ hello: true });
});

test('a taken port is an error that names the service, the port and the setting', async () => {
  const first = await started(hello);
  const error = await started(hello, first.port).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(PortUnavailableError);
  expect(String(error)).toContain(
    `The test stand-in cannot listen on 127.0.0.1:${first.port}: another process uses that port. Set TEST_PORT`,
  );
});

test.each([Number.NaN, -1, 70_000, 80.5])('port %s is refused with the range of ports', async (port) => {
  await expect(started(hello, port)).rejects.toThrow('a port is a whole number from 0 to 65535');
});

test('close ends connections that are kept alive', async () => {
  const listening = await started(hello);
  const agent = new http.Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  await new Promise<void>((resolve) => {
    http.get(listening.url, { agent }, (response) => response.resume().on('end', resolve));
  });
  await listening.close();
  await expect(fetch(listening.url)).rejects.toThrow();
});

test('close ends a connection that never finished its TLS handshake', async () => {
  const listening = await startedOverTls(hello);
  const socket = net.connect(listening.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  await Promise.all([listening.close(), closed]);
});

test('closing twice is closing once', async () => {
  const listening = await started(hello);
  await Promise.all([listening.close(), listening.close()]);
});

test('a body is read up to its limit; one byte more is answered with 413', async () => {
  const listening = await started(async (request, response) => {
    const body = await readBody(request, 1000);
    answerJson(response, 200, { bytes: body.length });
  });
  const post = (bytes: number) => fetch(listening.url, { method: 'POST', body: Buffer.alloc(bytes, 'x') });
  expect(await (await post(1000)).json()).toEqual({ bytes: 1000 });
  const refused = await post(1_000_001);
  expect(refused.status).toBe(413);
  expect(await refused.json()).toMatchObject({
    error: { message: 'The request body has 1000001 bytes; the maximum is 1000.' },
  });
});

test('the error of a body that is too large says how large it was', async () => {
  const caught: unknown[] = [];
  const listening = await started(async (request, response) => {
    await readBody(request, 2).catch((error: unknown) => caught.push(error));
    answerJson(response, 200, {});
  });
  await fetch(listening.url, { method: 'POST', body: 'four' });
  expect(caught).toEqual([expect.any(BodyTooLargeError)]);
  expect(caught[0]).toMatchObject({ limitBytes: 2, receivedBytes: 4 });
});

test('what a handler throws is an answer, and the server goes on', async () => {
  const listening = await started(async () => {
    throw new Error('out of ink');
  });
  for (const _ of [1, 2]) {
    const response = await fetch(listening.url);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { message: 'out of ink' } });
  }
});

test.each([
  { over: 'plain HTTP', start: started },
  { over: 'TLS', start: startedOverTls },
])('a connection that is cut over $over reaches the client as a reset', async ({ start }) => {
  const listening = await start(async (request) => cutConnection(request));
  await expect(fetch(listening.url)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
});

test('the origin is the address that the client used', async () => {
  const tellOrigin: Handler = async (request, response) => answerJson(response, 200, originOf(request));
  const { port } = await startedOverTls(tellOrigin);
  expect(await (await fetch(`https://localhost:${port}`)).json()).toBe(`https://localhost:${port}`);
});

test('a name that was made to point to this machine is refused before the handler sees the request', async () => {
  const plain = await started(hello);
  const answer = await new Promise<string>((resolve) => {
    http.get(plain.url, { headers: { host: 'evil.example' } }, (response) =>
      response.setEncoding('utf8').on('data', resolve),
    );
  });
  expect(JSON.parse(answer)).toMatchObject({ error: { code: 'FOREIGN_PAGE' } });
});
