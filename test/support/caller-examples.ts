import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, ROOT, readDocument } from './documents.ts';

/** The two files of a page for callers, and how they are compiled and run. */
export type CallerExample = {
  readonly page: string;
  /** The file that a reader copies into an application. */
  readonly client: string;
  /** The program that sends an email with it. */
  readonly program: string;
  readonly run: readonly string[];
  /** In test/fixtures/callers: sends an email with the client for each key on its command line. */
  readonly driver: string;
  readonly drive: readonly string[];
  /** How its HTTP client sends a body. */
  readonly framing: 'content-length' | 'chunked';
  /** Once for both programs. */
  readonly compile?: readonly string[];
  readonly present: boolean;
};

const said = (command: string, ...args: readonly string[]): string | undefined => {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
};
const runs = (command: string, ...args: readonly string[]): boolean => said(command, ...args) !== undefined;
const pwsh = ['pwsh', '-NoProfile', '-NonInteractive', '-File'];
const dotnet = Number.parseInt(said('dotnet', '--version') ?? '0', 10);

export const CALLER_EXAMPLES: readonly CallerExample[] = [
  {
    page: 'curl.md',
    client: 'mail-relay.sh',
    program: 'send.sh',
    run: ['bash', 'send.sh'],
    driver: 'drive.sh',
    drive: ['bash', 'drive.sh'],
    framing: 'content-length',
    present: runs('curl', '--version') && runs('jq', '--version'),
  },
  {
    page: 'python.md',
    client: 'mail_relay.py',
    program: 'send.py',
    run: ['python3', 'send.py'],
    driver: 'drive.py',
    drive: ['python3', 'drive.py'],
    framing: 'content-length',
    present: runs('python3', '--version'),
  },
  {
    page: 'php.md',
    client: 'mail_relay.php',
    program: 'send.php',
    run: ['php', 'send.php'],
    driver: 'drive.php',
    drive: ['php', 'drive.php'],
    framing: 'content-length',
    present: runs('php', '-r', 'exit(function_exists("curl_init") ? 0 : 1);'),
  },
  {
    page: 'java.md',
    client: 'MailRelay.java',
    program: 'SendMail.java',
    run: ['java', 'SendMail'],
    driver: 'Drive.java',
    drive: ['java', 'Drive'],
    framing: 'content-length',
    compile: ['javac', '-encoding', 'UTF-8', 'MailRelay.java', 'SendMail.java', 'Drive.java'],
    present: runs('javac', '--version'),
  },
  {
    page: 'powershell.md',
    client: 'MailRelay.ps1',
    program: 'send.ps1',
    run: [...pwsh, 'send.ps1'],
    driver: 'drive.ps1',
    drive: [...pwsh, 'drive.ps1'],
    framing: 'content-length',
    present: runs('pwsh', '-NoProfile', '-Command', 'exit 0'),
  },
  {
    page: 'csharp.md',
    client: 'MailRelay.cs',
    program: 'Program.cs',
    run: ['dotnet', 'out/send.dll'],
    driver: 'Drive.cs',
    // Before the program of the page, which is compiled with it: a second project would take as long again.
    drive: ['env', 'DOTNET_STARTUP_HOOKS=send', 'dotnet', 'out/send.dll'],
    framing: 'chunked',
    // Without the servers that would outlive the test.
    compile: [
      'dotnet',
      'build',
      '--output',
      'out',
      '-nodeReuse:false',
      '-p:UseSharedCompilation=false',
      '-p:RunAnalyzers=false',
    ],
    present: dotnet >= 8,
  },
];

/** As `dotnet new console` makes it. */
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net${dotnet}.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
  </PropertyGroup>
</Project>
`;

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
      DOTNET_SKIP_FIRST_TIME_EXPERIENCE: '1',
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

type Address = { readonly url: string; readonly key: string };

/** An example in a folder of its own, compiled if it has to be. */
export type PreparedExample = {
  readonly folder: string;
  /** Runs the program of the page, with the two environment variables that the page names. */
  readonly send: (relay: Address) => Promise<Ran>;
  /** Sends an email with the client of the page for each key, in one process. */
  readonly drive: (relay: Address, keys: readonly string[]) => Promise<Ran>;
};

/** Saves the files of a page as it says. */
export const prepareExample = async (example: CallerExample, parent: string): Promise<PreparedExample> => {
  const folder = join(parent, example.page);
  mkdirSync(folder);
  writeFileSync(join(folder, example.client), exampleOf(example.page, 'client'));
  writeFileSync(join(folder, example.program), exampleOf(example.page, 'send'));
  copyFileSync(join(ROOT, 'test/fixtures/callers', example.driver), join(folder, example.driver));
  if (example.page === 'csharp.md') writeFileSync(join(folder, 'send.csproj'), PROJECT);
  if (example.compile !== undefined) {
    const { status, output } = await run(example.compile, { folder });
    if (status !== 0) throw new Error(`${example.compile.join(' ')} ended with ${status}: ${output}`);
  }
  const runWith = ({ url, key }: Address, command: readonly string[]) =>
    run(command, { folder, environment: { MAIL_RELAY_URL: url, MAIL_RELAY_KEY: key } });
  return {
    folder,
    send: (relay) => runWith(relay, example.run),
    drive: (relay, keys) => runWith(relay, [...example.drive, ...keys]),
  };
};

/** Ends what .NET leaves running in the folder: a compiler server, which outlives the test by minutes. */
export const endCompilers = async (folder: string): Promise<void> => {
  if (dotnet === 0) return;
  const { status, output } = await run(['dotnet', 'build-server', 'shutdown'], { folder });
  if (status !== 0) throw new Error(`dotnet build-server shutdown ended with ${status}: ${output}`);
};
