import net, { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { AppError } from '../../../src/lib/errors.ts';
import { openLimitedNetwork } from '../../../src/lib/network/agents.ts';
import { openLedgerTable, openMailBlobs, openMailQueues } from '../../../src/lib/storage/open-storage.ts';
import type { StorageConnection } from '../../../src/lib/storage/storage-connection.ts';
import { tokenInTime } from '../../../src/lib/storage/token-in-time.ts';
import type { KeyVault } from '../../../src/lib/vault/key-vault.ts';
import { openKeyVault } from '../../../src/lib/vault/open-vault.ts';

const ID = '01890000-0000-7000-8000-000000000000';

/** Takes every byte and says nothing. */
const silence = async () => {
  const heard: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (chunk) => heard.push(String(chunk).split(' ')[0] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/devstoreaccount1`;
  return { heard, url };
};

const connectionTo = (url: string, stallMs: number): StorageConnection => ({
  kind: 'connection-string',
  connectionString: `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${btoa('key')};BlobEndpoint=${url};QueueEndpoint=${url};TableEndpoint=${url};`,
  network: openLimitedNetwork(undefined, stallMs),
});

test.each<[string, string, (connection: StorageConnection) => Promise<unknown>]>([
  ['a row that is read', 'GET', (one) => openLedgerTable(one).find(ID)],
  ['a message', 'POST', (one) => openMailQueues(one).queueNamed('mail').put('text', 0)],
  ['a count', 'GET', (one) => openMailQueues(one).queueNamed('mail').count()],
  ['a blob', 'PUT', (one) => openMailBlobs(one).payloads.put(ID, 'a.b', [Buffer.from('{}')])],
  ['a blob that is read', 'GET', (one) => openMailBlobs(one).payloads.read(ID, 'a.b')],
])('storage that says nothing is given up after two tries: %s', async (_what, method, ask) => {
  const { heard, url } = await silence();
  const failure = await ask(connectionTo(url, 400)).then(
    () => undefined,
    (error: AppError) => error,
  );
  expect(failure).toMatchObject({ code: 'STORAGE_UNAVAILABLE', facts: { cause: { code: 'ETIMEDOUT' } } });
  expect(heard).toEqual([method, method]);
});

test.each<[string, (vault: KeyVault) => Promise<unknown>]>([
  ['the list of secrets', (vault) => vault.listSecrets()],
  ['the versions of one', (vault) => vault.listVersions('a')],
  [
    'a secret that is stored',
    (vault) => vault.storeSecret('a', { value: 'b', expiresOn: new Date(0), tags: {} }),
  ],
])('a vault that says nothing is given up: %s', async (_what, ask) => {
  const { url } = await silence();
  const vault = openKeyVault(
    { vaultUrl: new URL(url).origin.replace('http:', 'https:') },
    {
      credential: { getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }) },
      now: () => new Date(),
      network: openLimitedNetwork(undefined, 400),
    },
  );
  await expect(ask(vault)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
});

test('storage has 10 seconds to say something, with a proxy and without', () => {
  for (const proxyEnv of [undefined, { HTTPS_PROXY: 'http://proxy.example:3128' }])
    for (const url of ['http://127.0.0.1:10000', 'https://account.blob.core.windows.net'])
      expect(openLimitedNetwork(proxyEnv).optionsFor(url).agent).toMatchObject({
        options: { timeout: 10_000 },
      });
});

test('an answer that keeps moving can take longer than the limit for silence', async () => {
  const pieces = 8;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${pieces}\r\netag: "1"\r\nconnection: close\r\n\r\n`);
      let sent = 0;
      const timer = setInterval(() => {
        socket.write('x');
        sent += 1;
        if (sent === pieces) clearInterval(timer);
      }, 100);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/devstoreaccount1`;
  const read = await openMailBlobs(connectionTo(url, 500)).payloads.read(ID, 'a.b');
  expect(await text(Readable.from(read ?? []))).toBe('x'.repeat(pieces));
});

test('an identity that says nothing is given up too', async () => {
  const credential = tokenInTime({ getToken: () => new Promise(() => {}) }, 50);
  await expect(credential.getToken('https://storage.azure.com/.default')).rejects.toMatchObject({
    name: 'AbortError',
  });
});
