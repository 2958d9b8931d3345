import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What argparse, and az with it, answers to a command line it does not understand. */
const WRONG_USAGE = 2;

/** The program az is a launcher of Python: by its first line, or as the packages of Microsoft and Homebrew, by its last. */
const pythonOfAz = (): string | undefined => {
  const launcher = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'az'))
    .find((file) => existsSync(file));
  return launcher && /\/\S*\/python[\d.]*(?=\s)/.exec(readFileSync(launcher, 'utf8'))?.[0];
};

const python = pythonOfAz();

const readVersion = (): string | undefined => {
  if (python === undefined) return undefined;
  const asked = spawnSync(python, ['-c', 'import azure.cli.core as az; print(az.__version__)'], {
    encoding: 'utf8',
  });
  return asked.status === 0 ? asked.stdout.trim() : undefined;
};

/** The version of the Azure CLI, if one is installed. */
export const azVersion = readVersion();

type End = { readonly status: number; readonly stderr: string };

/** How az ends. Signed in nowhere and cut off from the network, it reads a command line and nothing more comes of it. */
const endsOfAz = async (
  configuration: string,
  commands: readonly (readonly string[])[],
): Promise<readonly End[]> => {
  const child = spawn(python ?? 'python3', [join(import.meta.dirname, 'az-command-lines.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      AZURE_CONFIG_DIR: configuration,
      AZURE_CORE_COLLECT_TELEMETRY: 'no',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HTTP_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '',
    },
  });
  child.stdin.on('error', () => undefined).end(JSON.stringify(commands));
  const [printed, said, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (status !== 0) throw new Error(`The Azure CLI ended with ${status}: ${said}`);
  return JSON.parse(printed) as readonly End[];
};

/** The command lines, each without the word az, that az does not understand, with what it says about them. */
export const misunderstoodByAz = async (
  commands: readonly (readonly string[])[],
): Promise<readonly string[]> => {
  const configuration = mkdtempSync(join(tmpdir(), 'relay-az-'));
  try {
    const ends = await endsOfAz(configuration, commands);
    return commands.flatMap((args, index) => {
      const { status, stderr } = ends[index]!;
      // az login ends so without a network, too.
      if (status !== WRONG_USAGE || stderr.includes('Max retries exceeded')) return [];
      return [`az ${args.join(' ')}\n${stderr}`];
    });
  } finally {
    rmSync(configuration, { recursive: true, force: true });
  }
};
