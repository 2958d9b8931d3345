import { describe, expect, test } from 'vitest';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { openHttpsWebhook } from '../../../src/lib/webhook/https-webhook.ts';
import { openWebhook } from '../../../src/lib/webhook/open-webhook.ts';
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
