import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { QueueClient } from '@azure/storage-queue';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ANY_PORT = {
  FUNCTIONS_PORT: '0',
  INBOX_PORT: '0',
  ENTRA_PORT: '0',
  GRAPH_PORT: '0',
  KEY_VAULT_PORT: '0',
  MANAGED_IDENTITY_PORT: '0',
  GRAPH_UPLOAD_PORT: '0',
  BLOB_PORT: '0',
  QUEUE_PORT: '0',
  TABLE_PORT: '0',
};
const ROOT = join(import.meta.dirname, '../..');
const START = join(ROOT, 'local/start.ts');
const MAIL = join(ROOT, 'scripts/mail.ts');

let folder: string;
let running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'start-'));
});

afterEach(async () => {
  for (const child of running.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  running = [];
  // The host of one that was killed ends a moment later.
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Starts it as `npm start` does; gives what it printed once the text is there, or it ended. */
const start = async (options: readonly string[], environment: Record<string, string>, until: RegExp) => {
  const child = spawn(process.execPath, [START, '--folder', folder, ...options], {
    env: { ...process.env, ...ANY_PORT, ...environment },
  });
  running.push(child);
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

describe('npm start', { timeout: 120_000 }, () => {
  test('prints a curl that works as it stands, and stops on Ctrl-C without leaving a process behind', async () => {
    const { child, ended, printed } = await start([], {}, READY);
    const curl = found(printed(), /^( +curl .*\\\n.*\\\n.*)$/m);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${curl} --silent --show-error`]);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'sent', sender: 'noreply@contoso.example' });

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

  test('tells all that is wrong at once: taken ports, settings that are wrong, names that are nearly one', async () => {
    const taken = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')];
    await Promise.all(taken.map((server) => once(server, 'listening')));
    const [graph, inbox] = taken.map((server) => String((server.address() as { port: number }).port));
    const { ended, printed } = await start(
      [],
      {
        GRAPH_PORT: graph ?? '',
        INBOX_PORT: inbox ?? '',
        MAIL_GIVE_UP_HOURS: 'soon',
        MAIL_PER_MINUT: '5',
        MAIL_SOMETHING_ELSE: 'of another tool',
        MAIL_RELAY_KEY: 'of an application',
      },
      READY,
    );
    for (const server of taken) server.close();
    expect(await ended).toBe(1);
    expect(printed().trim().split('\n')).toEqual([
      expect.stringMatching(
        /^MAIL_GIVE_UP_HOURS: expected a whole number from 1 to \d+, such as 24; received /,
      ),
      'MAIL_PER_MINUT is not a setting of the relay. Did you mean MAIL_PER_MINUTE_PER_MAILBOX?',
      `Port ${inbox} is in use. Set INBOX_PORT to a free port (0 for any).`,
      `Port ${graph} is in use. Set GRAPH_PORT to a free port (0 for any).`,
    ]);
  });

  test('does not start in a folder that another one has, and names that one; --fresh leaves it alone', async () => {
    const first = await start([], {}, READY);
    const send = () =>
      fetch(found(first.printed(), /Endpoint +(http\S+)/), {
        method: 'POST',
        headers: { 'x-functions-key': 'local-function-key', 'content-type': 'application/json' },
        body: '{"to":"a@contoso.example","subject":"s","text":"t"}',
      });
    expect((await send()).status).toBe(200);

    const second = await start(['--fresh'], {}, READY);
    expect(await second.ended).toBe(1);
    expect(second.printed()).toMatch(
      new RegExp(
        `The folder ${folder} is in use by process ${first.child.pid}, since \\d{4}-.*Z, at http://localhost:\\d+\\. `,
      ),
    );
    expect((await send()).status).toBe(200);
    const inbox = await fetch(`${found(first.printed(), /Inbox +(http\S+)/)}/api/v1/messages`);
    expect(await inbox.json()).toMatchObject({ total: 2 });
  });

  test('starts in the folder of one that was killed, and keeps its mails', async () => {
    const first = await start([], {}, READY);
    await fetch(found(first.printed(), /Endpoint +(http\S+)/), {
      method: 'POST',
      headers: { 'x-functions-key': 'local-function-key', 'content-type': 'application/json' },
      body: '{"to":"a@contoso.example","subject":"s","text":"t"}',
    });
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await start([], {}, READY);
    expect(second.printed()).toContain('Graph Mail Relay is running.');
    const inbox = await fetch(`${found(second.printed(), /Inbox +(http\S+)/)}/api/v1/messages`);
    expect(await inbox.json()).toMatchObject({ total: 1 });
  });

  test('keeps its folder to its owner, and what an earlier version left readable there too', async () => {
    await writeFile(join(folder, 'functions.log'), 'of an earlier run\n', { mode: 0o644 });
    await chmod(folder, 0o755);
    await start([], {}, READY);
    const modes = new Map([['.', (await stat(folder)).mode & 0o777]]);
    for (const entry of await readdir(folder, { recursive: true }))
      modes.set(entry, (await stat(join(folder, entry))).mode & 0o777);
    expect([...modes].filter(([, mode]) => (mode & 0o077) !== 0)).toEqual([]);
    expect(modes.get('.')).toBe(0o700);
    expect(modes.get('running.json')).toBe(0o600);
    expect(modes.get('key-vault.json')).toBe(0o600);
  });

  test('prints a command for the queue that finds it at its port', async () => {
    const { printed } = await start([], {}, READY);
    const command = found(printed(), /^ +(AzureWebJobsStorage='.*' node docs\/examples\/queue-mail\.mjs)$/m);
    await promisify(execFile)('bash', ['-c', command], { cwd: ROOT });
    const inbox = found(printed(), /Inbox +(http\S+)/);
    await expect
      .poll(
        async () => ((await (await fetch(`${inbox}/api/v1/messages`)).json()) as { total: number }).total,
        {
          timeout: 20_000,
        },
      )
      .toBe(2);
  });

  test('is followed by npm run mail, which shows what is wrong, where the record is, and what to do', async () => {
    const { printed } = await start([], {}, READY);
    const endpoint = found(printed(), /Endpoint +(http\S+)/);
    const mail = async (...words: string[]) =>
      promisify(execFile)(process.execPath, [MAIL, ...words, '--folder', folder]).then(
        ({ stdout }) => stdout,
        ({ stderr }) => stderr as string,
      );
    expect(await mail('list')).toBe('No email is held.\n');

    const storage = found(printed(), /AzureWebJobsStorage='([^']*)'/);
    await new QueueClient(storage, 'mail').sendMessage('{"to":"nobody","subject":"s","text":"t"}');
    await expect.poll(() => mail('list'), { timeout: 20_000 }).toContain('REASON');
    const id = found(await mail('list'), /^([0-9a-f-]{36})\b/m);
    const shown = await mail('show', id);
    expect(shown).toMatch(/^Problems {4}\/to.*: expected .*; received .*$/m);
    expect(shown).toMatch(new RegExp(`^Record {6}\\d{4}.*${id}.* in the container mail-held$`, 'm'));
    expect(shown).toMatch(/^What to do {2}\S/m);

    expect(await mail('list', '--url', endpoint)).toContain(id);
    expect(await mail('list', '--url', 'http://localhost:1')).toContain(
      'Expected the master key of http://localhost:1 in the environment variable MAIL_RELAY_MASTER_KEY.',
    );
  });

  test.each([
    ['a port that is none', [], { INBOX_PORT: 'eighty' }, 'INBOX_PORT'],
    ['an unknown option', ['--frehs'], {}, 'For the usage: npm start -- --help'],
  ])('refuses %s', async (_, options, environment, said) => {
    const { ended, printed } = await start(options, environment, READY);
    expect(await ended).not.toBe(0);
    expect(printed()).toContain(said);
  });
});
