import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { openHttpsEventWebhooks, openHttpsWebhook } from '../../../src/lib/webhook/https-webhook.ts';
import { makeLoopbackRequest } from '../../../src/lib/webhook/loopback-request.ts';
import { openEventWebhooks, openWebhook } from '../../../src/lib/webhook/open-webhook.ts';
import { startConnectProxy } from '../../support/connect-proxy.ts';
import { scriptedServer } from '../graph/scripted-server.ts';

const answering = (status: number, headers: Record<string, string> = {}) =>
  scriptedServer((_request, response) => void response.writeHead(status, headers).end('ok'));

describe('a post to the webhook', () => {
  test.each([200, 202, 404, 429, 500])('is one request, and gives its status %s', async (status) => {
    const server = await answering(status);
    const webhook = openWebhook(`${server.url}/canary?sig=canary`);
    expect(await webhook.post('{"text":"credential 憑證"}')).toEqual({ kind: 'answered', status });
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        path: '/canary?sig=canary',
        headers: { 'content-type': 'application/json', 'content-length': '28' },
      },
    ]);
  });

  test.each([301, 302, 307, 308])('follows no redirect: %s', async (status) => {
    const elsewhere = await answering(200);
    const server = await answering(status, { location: `${elsewhere.url}/` });
    expect(await openWebhook(server.url).post('{}')).toEqual({ kind: 'answered', status });
    expect(elsewhere.seen).toEqual([]);
  });

  test('that cannot connect says so, without the address', async () => {
    const webhook = openWebhook('https://127.0.0.1:1/canary');
    expect(await webhook.post('{}')).toEqual({ kind: 'failed', reason: 'connection' });
  });

  test('that gets no answer is given up', async () => {
    const server = await scriptedServer(() => undefined);
    const webhook = openHttpsWebhook(server.url, openHttps(), 50);
    expect(await webhook.post('{}')).toEqual({ kind: 'failed', reason: 'timeout' });
  });
});

describe('an event', () => {
  const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8', 'webhook-id': 'one' };

  test('is one request with its headers and its body as it was signed, and gives the status', async () => {
    const server = await answering(202);
    expect(await openEventWebhooks().post(`${server.url}/hook?sig=1`, headers, '{"憑證":1}')).toEqual({
      kind: 'answered',
      status: 202,
    });
    expect(server.seen).toMatchObject([
      { method: 'POST', path: '/hook?sig=1', headers: { ...headers, 'content-length': '12' } },
    ]);
  });

  test.each([301, 302, 307, 308])('follows no redirect: %s', async (status) => {
    const elsewhere = await answering(200);
    const server = await answering(status, { location: `${elsewhere.url}/` });
    expect(await openEventWebhooks().post(server.url, headers, '{}')).toEqual({ kind: 'answered', status });
    expect(elsewhere.seen).toEqual([]);
  });

  test('gives how long the receiver asks to wait', async () => {
    const server = await answering(429, { 'retry-after': '30' });
    expect(await openEventWebhooks().post(server.url, headers, '{}')).toMatchObject({ retryAfter: '30' });
  });

  test('reads nothing of an answer beside its head, however long it is', async () => {
    const server = await scriptedServer((_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    expect(await openEventWebhooks().post(server.url, headers, '{}')).toEqual({
      kind: 'answered',
      status: 200,
    });
  });

  test('is given up where the receiver hangs or cannot be reached', async () => {
    const hanging = await scriptedServer(() => undefined);
    const webhooks = openHttpsEventWebhooks(openHttps(), makeLoopbackRequest, 50);
    expect(await webhooks.post(hanging.url, headers, '{}')).toEqual({ kind: 'failed', reason: 'timeout' });
    const away = await openEventWebhooks().post('https://127.0.0.1:1/canary', headers, '{}');
    expect(away).toEqual({ kind: 'failed', reason: 'connection' });
  });

  test('goes through the proxy of the settings, and what that refuses is no answer of the receiver', async () => {
    const server = await answering(200);
    const { port } = new URL(server.url);
    const proxy = await startConnectProxy({
      portOf: (host) => (host.startsWith('localhost') ? Number(port) : undefined),
      refuse: (host) => (host.startsWith('refused.example') ? 403 : undefined),
    });
    onTestFinished(() => proxy.close());
    const webhooks = openEventWebhooks({ HTTPS_PROXY: proxy.url });
    expect(await webhooks.post(`https://localhost:${port}/`, headers, '{}')).toMatchObject({ status: 200 });
    expect(proxy.asked).toEqual([`localhost:${port}`]);
    expect(await webhooks.post('https://refused.example/', headers, '{}')).toEqual({
      kind: 'failed',
      reason: 'proxy',
    });
  });

  test('reaches a receiver on this machine by plain HTTP', async () => {
    const seen: string[] = [];
    const server = http.createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const webhooks = openEventWebhooks();
    expect(await webhooks.post(`http://127.0.0.1:${port}/hook`, headers, '{}')).toEqual({
      kind: 'answered',
      status: 307,
    });
    expect(seen).toEqual(['POST /hook']);
    expect(await webhooks.post('http://127.0.0.1:1/', headers, '{}')).toEqual({
      kind: 'failed',
      reason: 'connection',
    });
  });
});
