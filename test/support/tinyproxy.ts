import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { vi } from 'vitest';
import { CONDITION_MS } from './patience.ts';

/** Where tinyproxy is, a forward proxy that Debian and others have (`apt-get install tinyproxy`); undefined where it is not installed. */
export const findTinyproxy = (): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin']
    .map((folder) => join(folder, 'tinyproxy'))
    .find(existsSync);

const freePort = async (): Promise<number> => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** A real forward proxy, which hands on to another one. */
export const startTinyproxy = async (program: string, upstreamPort: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'tinyproxy-'));
  const [config, log, port] = [join(folder, 'conf'), join(folder, 'log'), await freePort()];
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Allow 127.0.0.1',
    'ConnectPort 443',
    `Upstream http 127.0.0.1:${upstreamPort}`,
    'LogLevel Connect',
    `LogFile "${log}"`,
    'MaxClients 100',
    'Timeout 600',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const child = spawn(program, ['-d', '-c', config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await vi.waitFor(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => {
          socket.destroy();
          resolve();
        });
        socket.once('error', reject);
      }),
    { timeout: CONDITION_MS, interval: 50 },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    /** What its log has of requests, each host once. */
    hosts: async (): Promise<readonly string[]> => {
      const found = (await readFile(log, 'utf8')).matchAll(/Request \([^)]*\): CONNECT (\S+):443 HTTP/g);
      return [...new Set([...found].map(([, host = '']) => host))].sort();
    },
    log: () => readFile(log, 'utf8'),
    close: async () => {
      child.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
};
