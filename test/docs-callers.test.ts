import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Mail } from '../src/lib/mail/mail-schema.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';

const PAGES = join(import.meta.dirname, '../docs/callers');

/** The code block of a page that says `example: <name>` on one of its first two lines. */
const exampleOf = (page: string, name: string): string => {
  const blocks = readFileSync(join(PAGES, page), 'utf8').matchAll(/^```\w+\n([\s\S]*?)^```$/gm);
  for (const [, code = ''] of blocks)
    if (code.split('\n').slice(0, 2).join('\n').includes(`example: ${name}`)) return code;
  throw new Error(`${page} has no block with "example: ${name}"`);
};

const runs = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

type Example = {
  readonly page: string;
  readonly file: string;
  readonly command: readonly string[];
  readonly present: boolean;
};

// Compiling C# takes long; set RELAY_TEST_CSHARP to do it.
const EXAMPLES: readonly Example[] = [
  { page: 'curl.md', file: 'send.sh', command: ['bash'], present: runs('curl', '--version') },
  { page: 'python.md', file: 'send.py', command: ['python3'], present: runs('python3', '--version') },
  {
    page: 'php.md',
    file: 'send.php',
    command: ['php'],
    present: runs('php', '-r', 'exit(function_exists("curl_init") ? 0 : 1);'),
  },
  { page: 'java.md', file: 'SendMail.java', command: ['java'], present: runs('java', '--version') },
  {
    page: 'csharp.md',
    file: 'send.cs',
    command: ['dotnet', 'run'],
    present: Boolean(process.env.RELAY_TEST_CSHARP) && runs('dotnet', '--version'),
  },
];

type Arrived = { readonly mail: Mail; readonly idempotencyKey: string };

/** Takes mails by the contract of the relay; the first request is turned away for a moment, as when Graph is busy. */
const startRelay = async () => {
  const arrived: Arrived[] = [];
  const problems: string[] = [];
  let turnedAway = false;
  const server = createServer(async (request, response) => {
    try {
      const mail = readMail(JSON.parse(await textOf(request)));
      expect(request.url).toBe('/api/mail');
      expect(request.headers['x-functions-key']).toBe('the key');
      expect(request.headers['content-type']).toMatch(/^application\/json/);
      arrived.push({ mail, idempotencyKey: String(request.headers['idempotency-key']) });
    } catch (error) {
      problems.push(String(error));
    }
    if (turnedAway)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"1","status":"sent"}');
    else
      response
        .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
        .end('{"code":"GRAPH_UNAVAILABLE"}');
    turnedAway = true;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    arrived,
    problems,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};

let folder = '';
let relay: Awaited<ReturnType<typeof startRelay>>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relay-caller-'));
  relay = await startRelay();
});
afterEach(async () => {
  await relay.close();
  rmSync(folder, { recursive: true, force: true });
});

const runExample = async ({ page, file, command }: Example) => {
  writeFileSync(join(folder, file), exampleOf(page, 'send'));
  writeFileSync(join(folder, '.mail-relay'), 'header = "x-functions-key: the key"\n');
  const [program = '', ...args] = command;
  const child = spawn(program, [...args, file], {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      DOTNET_CLI_HOME: folder,
      MAIL_RELAY_URL: relay.url,
      MAIL_RELAY_KEY: 'the key',
      no_proxy: '*',
      NO_PROXY: '*',
      LC_ALL: 'C.UTF-8',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const status = await new Promise((resolve) => child.on('close', resolve));
  return { status, output };
};

describe('the example on the page', () => {
  test.each(EXAMPLES)(
    '$page sends a mail of the contract, and repeats it under the same key when the relay says not now',
    async (example) => {
      if (!example.present)
        return console.warn(
          `skipped: ${example.page} needs ${example.command[0]}${example.page === 'csharp.md' ? ' and RELAY_TEST_CSHARP' : ''}`,
        );
      const { status, output } = await runExample(example);
      expect(relay.problems).toEqual([]);
      expect(status, output).toBe(0);
      expect(output).toContain('sent');
      expect(relay.arrived).toHaveLength(2);
      const [first, second] = relay.arrived;
      expect(first?.idempotencyKey).toMatch(/^[\w-]{3,}$/);
      expect(second).toEqual(first);
      expect(first?.mail.to.length).toBeGreaterThan(0);
      // That Chinese arrived as it was written.
      expect(first?.mail.subject).toMatch(/\p{Script=Han}|^歡/u);
    },
    180_000,
  );
});

test('the mails of the queue page are mails of the contract, in each language', () => {
  const page = readFileSync(join(PAGES, 'queue.md'), 'utf8');
  for (const field of ['to', 'subject', 'text', 'idempotencyKey'])
    expect(page.match(new RegExp(`\\b${field}\\b['"\\]]*\\s*[:=]`, 'g')), field).toHaveLength(3);
  expect(() =>
    readMail({
      to: '陳大文 <chan@contoso.example>',
      subject: 's',
      text: 't',
      idempotencyKey: 'ticket-4711-closed',
    }),
  ).not.toThrow();
});
