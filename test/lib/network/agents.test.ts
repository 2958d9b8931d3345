import net, { type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NeverConnected, openHttps } from '../../../src/lib/graph/one-request.ts';
import { openSdkNetwork, requireProxySupport } from '../../../src/lib/network/agents.ts';
import { readProxy } from '../../../src/lib/settings/proxy.ts';
import { openManagedIdentity } from '../../../src/lib/vault/managed-identity.ts';
import { startConnectProxy } from '../../support/connect-proxy.ts';
import { scriptedServer } from '../graph/scripted-server.ts';

const aProxy = async (noProxy = '') => {
  const proxy = await startConnectProxy({ portOf: () => undefined });
  onTestFinished(() => proxy.close());
  return { ...proxy, proxyEnv: readProxy({ HTTPS_PROXY: proxy.url, NO_PROXY: noProxy }) };
};

const get = (proxyEnv: ReturnType<typeof readProxy>, url: string, signal = AbortSignal.timeout(5000)) =>
  openHttps(proxyEnv)({ url, method: 'GET', headers: {}, signal });

describe('the proxy is not asked for', () => {
  test('this machine, whatever NO_PROXY says', async () => {
    const { proxyEnv, asked } = await aProxy('other.example');
    const server = await scriptedServer((_request, response) => response.writeHead(204).end());
    const { statusCode } = await get(proxyEnv, server.url);
    expect([statusCode, asked]).toEqual([204, []]);
  });

  test('the link-local addresses of the managed identity', async () => {
    const { proxyEnv, asked } = await aProxy();
    const gone = AbortSignal.abort();
    await expect(get(proxyEnv, 'https://169.254.169.254/metadata', gone)).rejects.toThrow(NeverConnected);
    expect(asked).toEqual([]);
  });

  test.each([
    ['vault.example', 'vault.example'],
    ['.vault.example', 'kv.vault.example'],
    ['*.vault.example', 'kv.vault.example'],
    ['other.example, .vault.example', 'kv.vault.example'],
    ['*', 'kv.vault.example'],
  ])('hosts of NO_PROXY=%s, such as %s', async (noProxy, host) => {
    const { proxyEnv, asked } = await aProxy(noProxy);
    // There is no such name (RFC 2606), so that the way without the proxy ends at once.
    await expect(get(proxyEnv, `https://${host}/`)).rejects.toThrow(NeverConnected);
    expect(asked).toEqual([]);
  });

  test('the token endpoint of the managed identity, which the identity library would send there', async () => {
    const proxy = await aProxy();
    const requests: string[] = [];
    const endpoint = net.createServer((socket) => {
      socket.once('data', (chunk) => {
        requests.push(String(chunk).split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const before = process.env;
    process.env = {
      ...before,
      HTTPS_PROXY: proxy.url,
      IDENTITY_ENDPOINT: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/msi/token`,
      IDENTITY_HEADER: 'header',
    };
    onTestFinished(() => {
      process.env = before;
      endpoint.close();
    });
    const identity = openManagedIdentity(undefined, { network: openSdkNetwork(proxy.proxyEnv) });
    await expect(identity.getToken('https://vault.azure.net/.default')).rejects.toThrow();
    expect(requests).toEqual([expect.stringMatching(/^GET \/msi\/token\?/)]);
    expect([proxy.plain, proxy.asked]).toEqual([[], []]);
  });
});

test('without a proxy the SDKs are left as they are', () => {
  expect(openSdkNetwork(undefined).optionsFor('https://graph.microsoft.com')).toEqual({});
});

test.each([
  ['20.20.2', false],
  ['22.12.0', false],
  ['22.20.9', false],
  ['22.21.0', true],
  ['23.11.0', false],
  ['24.4.1', false],
  ['24.5.0', true],
  ['26.0.0', true],
])('Node.js %s can use a proxy: %s', (version, can) => {
  const attempt = () => requireProxySupport(version);
  if (can) expect(attempt).not.toThrow();
  else expect(attempt).toThrow('Settings');
});
