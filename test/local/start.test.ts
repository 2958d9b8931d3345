import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ANY_PORT = {
  FUNCTIONS_PORT: '0',
  INBOX_PORT: '0',
  ENTRA_PORT: '0',
  GRAPH_PORT: '0',
  KEY_VAULT_PORT: '0',
  MANAGED_IDENTITY_PORT: '0',
  BLOB_PORT: '0',
  QUEUE_PORT: '0',
  TABLE_PORT: '0',
};
const START = join(import.meta.dirname, '../../local/start.ts');

let folder: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-'));
});

afterEach(async () => {
  if (running?.exitCode === null) {
    running.kill('SIGKILL');
    await once(running, 'exit');
  }
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Starts it as `npm start` does; gives what it printed once the text is there, or it ended. */
const start = async (options: readonly string[], environment: Record<string, string>, until: RegExp) => {
  const child = spawn(process.execPath, [START, '--folder', folder, ...options], {
    env: { ...process.env, ...ANY_PORT, ...environment },
  });
  running = child;
  let printed = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (until.test(printed)) resolve();
      });
    void ended.then(() => resolve());
  });
  return { child, ended, printed: () => printed };
};

const READY = /Stop with Ctrl-C\./;
const found = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';

const isReachable = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

describe('npm start', () => {
  test('prints a curl that works as it stands, and stops on Ctrl-C without leaving a process behind', async () => {
    const { child, ended, printed } = await start([], {}, READY);
    const curl = found(printed(), /^( +curl .*\\\n.*\\\n.*)$/m);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${curl} --silent --show-error`]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'sent', sender: 'noreply@contoso.example' });

    const inbox = found(printed(), /Inbox +(http\S+)/);
    const { messages } = (await (await fetch(`${inbox}/api/v1/messages`)).json()) as {
      messages: { Subject: string; To: { Name: string }[] }[];
    };
    expect(messages).toMatchObject([{ Subject: '薪資單 2026-11', To: [{ Name: 'Chan Tai Man' }] }]);

    const endpoint = found(printed(), /Endpoint +(http\S+)/);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(await isReachable(endpoint)).toBe(false);
    expect(await isReachable(inbox)).toBe(false);
  });

  test('keeps the inbox over a restart, and begins anew with --fresh', async () => {
    const inboxAfter = async (options: readonly string[], send: boolean) => {
      const { child, ended, printed } = await start(options, {}, READY);
      const endpoint = found(printed(), /Endpoint +(http\S+)/);
      if (send)
        await fetch(endpoint, {
          method: 'POST',
          headers: { 'x-functions-key': 'local-function-key', 'content-type': 'application/json' },
          body: '{"to":"a@contoso.example","subject":"s","text":"t"}',
        });
      const answer = await fetch(`${found(printed(), /Inbox +(http\S+)/)}/api/v1/messages`);
      child.kill('SIGINT');
      await ended;
      return ((await answer.json()) as { total: number }).total;
    };
    expect(await inboxAfter([], true)).toBe(1);
    expect(await inboxAfter([], false)).toBe(1);
    expect(await inboxAfter(['--fresh'], false)).toBe(0);
  });

  test('says which port is taken and how to choose another', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { ended, printed } = await start([], { GRAPH_PORT: String(port) }, READY);
    taken.close();
    expect(await ended).toBe(1);
    expect(printed()).toContain(String(port));
    expect(printed()).toContain('GRAPH_PORT');
  });

  test.each([
    ['a port that is none', [], { INBOX_PORT: 'eighty' }, 'INBOX_PORT'],
    ['an unknown option', ['--frehs'], {}, 'Usage:'],
  ])('refuses %s', async (_, options, environment, said) => {
    const { ended, printed } = await start(options, environment, READY);
    expect(await ended).not.toBe(0);
    expect(printed()).toContain(said);
  });
});
