import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import type { HostProcessMessage } from '../../../local/functions-host/main.ts';
import { fixture } from './hosted-app.ts';

const MAIN = fileURLToPath(new URL('../../../local/functions-host/main.ts', import.meta.url));

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function startChild(env: Record<string, string> = {}) {
  const child = fork(MAIN, {
    silent: true,
    env: {
      PATH: process.env.PATH,
      APP_FOLDER: fixture('timer-app'),
      FUNCTIONS_PORT: '0',
      FUNCTIONS_KEY: 'the-function-key',
      FUNCTIONS_MASTER_KEY: 'the-master-key',
      // Nothing listens there: the host starts and goes on without storage.
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      DAILY: '0 0 8 * * *',
      ...env,
    },
  });
  children.push(child);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  const [message] = (await once(child, 'message')) as [HostProcessMessage];
  return { child, message, exited, output: () => output.join('') };
}

const urlOf = (message: HostProcessMessage) =>
  message.type === 'ready' ? message.url : expect.fail(message.message);

test('the host process says when it is ready, and the app sees its environment', async () => {
  const { child, message, output } = await startChild();
  expect(message).toMatchObject({ type: 'ready', functions: ['daily', 'pid'] });
  const url = urlOf(message);
  await expect.poll(output).toContain(`Functions host ready at ${url}\n`);
  expect(await (await fetch(`${url}/api/pid`)).json()).toEqual({ pid: child.pid, daily: '0 0 8 * * *' });
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it with code 0', async (signal) => {
  const { child, exited } = await startChild();
  child.kill(signal);
  expect(await exited).toEqual({ code: 0, signal: null });
});

test('SIGTERM after Ctrl-C does not cut the stop short', async () => {
  const { child, exited } = await startChild();
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await exited).toEqual({ code: 0, signal: null });
});

test('it ends when its parent is gone', async () => {
  const { child, exited } = await startChild();
  child.disconnect();
  expect(await exited).toEqual({ code: 0, signal: null });
});

test('an environment that is not complete is an error that names what is missing', async () => {
  const { message, exited, output } = await startChild({ FUNCTIONS_KEY: '', APP_FOLDER: '' });
  expect(message).toEqual({
    type: 'failed',
    message: 'The functions host needs these environment variables: APP_FOLDER, FUNCTIONS_KEY.',
  });
  expect(await exited).toMatchObject({ code: 1 });
  expect(output()).toContain('The functions host did not start');
});

test('a port that is taken is an error that names the setting', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { message, exited } = await startChild({
    FUNCTIONS_PORT: String((server.address() as AddressInfo).port),
  });
  expect(message).toMatchObject({
    type: 'failed',
    message: expect.stringContaining('Set FUNCTIONS_PORT to a free port'),
  });
  expect(await exited).toMatchObject({ code: 1 });
  server.close();
});
