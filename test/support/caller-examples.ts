import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, readDocument } from './documents.ts';

/** An example on a page for callers, and how the page says it is run. */
export type CallerExample = {
  readonly page: string;
  readonly file: string;
  readonly command: readonly string[];
  readonly present: boolean;
};

const said = (command: string, ...args: readonly string[]): string | undefined => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
};
const runs = (command: string, ...args: readonly string[]): boolean => said(command, ...args) !== undefined;

export const CALLER_EXAMPLES: readonly CallerExample[] = [
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
    page: 'powershell.md',
    file: 'send.ps1',
    command: ['pwsh', '-NoProfile', '-NonInteractive', '-File'],
    present: runs('pwsh', '-NoProfile', '-Command', 'exit 0'),
  },
  // A file that is run as it stands came with .NET 10.
  {
    page: 'csharp.md',
    file: 'send.cs',
    command: ['dotnet', 'run'],
    present: Number.parseInt(said('dotnet', '--version') ?? '0', 10) >= 10,
  },
];

const readCallersPage = (page: string): Document => readDocument(`docs/callers/${page}`);

/** The code block of a page that says `example: <name>` on one of its first two lines. */
export const exampleOf = (page: string, name: string, number = 0): string => {
  const blocks = [...readCallersPage(page).text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)]
    .map(([, code = '']) => code)
    .filter((code) => code.split('\n').slice(0, 2).join('\n').includes(`example: ${name}`));
  const block = blocks[number];
  if (block === undefined) throw new Error(`${page} has no block with "example: ${name}"`);
  return block;
};

export type RunOptions = {
  /** The working folder, and the home of the program. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
};

export type Ran = { readonly status: number | null; readonly output: string };

/** Runs a program to its end without blocking the server it talks to. */
export const run = async (
  [program = '', ...args]: readonly string[],
  { folder, environment }: RunOptions,
): Promise<Ran> => {
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOME: folder,
      // By it a compiler server of .NET is found: the one that starts here is the test's own.
      TMPDIR: folder,
      // Half of the time of Java is its optimising compiler, for a program that ends soon.
      JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
      DOTNET_CLI_TELEMETRY_OPTOUT: '1',
      DOTNET_NOLOGO: '1',
      POWERSHELL_TELEMETRY_OPTOUT: '1',
      no_proxy: '*',
      NO_PROXY: '*',
      LC_ALL: 'C.UTF-8',
      ...environment,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { status, output };
};

/** Runs the example of a page as the page says: the relay's address and the function key are in the environment. */
export const runExample = (
  { page, file, command }: CallerExample,
  relay: { readonly url: string; readonly key: string },
  { folder, environment }: RunOptions,
): Promise<Ran> => {
  writeFileSync(join(folder, file), exampleOf(page, 'send'));
  writeFileSync(join(folder, '.mail-relay'), `header = "x-functions-key: ${relay.key}"\n`);
  return run([...command, file], {
    folder,
    environment: { MAIL_RELAY_URL: relay.url, MAIL_RELAY_KEY: relay.key, ...environment },
  });
};

/** Ends what the examples leave running in the folder: `dotnet run` starts a compiler server, which outlives it by minutes. */
export const endCompilers = async (folder: string): Promise<void> => {
  const dotnet = CALLER_EXAMPLES.find(({ page }) => page === 'csharp.md');
  if (!dotnet?.present) return;
  const { status, output } = await run(['dotnet', 'build-server', 'shutdown'], { folder });
  if (status !== 0) throw new Error(`dotnet build-server shutdown ended with ${status}: ${output}`);
};
