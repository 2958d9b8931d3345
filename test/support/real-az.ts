import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What argparse, and az with it, answers to a command line it does not understand. */
const WRONG_USAGE = 2;

const asked = spawnSync('az', ['version', '--query', '"azure-cli"', '--output', 'tsv'], { encoding: 'utf8' });

/** The version of the Azure CLI, if one is installed. */
export const azVersion =
  asked.status === 0 && /^\d+\.\d+\.\d+\s*$/.test(asked.stdout) ? asked.stdout.trim() : undefined;

/** How az ends. Signed in nowhere and cut off from the network, it reads a command line and nothing more comes of it. */
const exitOfAz = (
  configuration: string,
  args: readonly string[],
): Promise<{ status: number; stderr: string }> =>
  new Promise((resolve) => {
    const child = execFile(
      'az',
      [...args],
      {
        env: {
          ...process.env,
          AZURE_CONFIG_DIR: configuration,
          AZURE_CORE_COLLECT_TELEMETRY: 'no',
          HTTPS_PROXY: 'http://127.0.0.1:9',
          HTTP_PROXY: 'http://127.0.0.1:9',
          NO_PROXY: '',
        },
      },
      (_error, _stdout, stderr) => resolve({ status: child.exitCode ?? -1, stderr }),
    );
    child.stdin?.end('x');
  });

/** The command lines, each without the word az, that az does not understand, with what it says about them. */
export const misunderstoodByAz = async (
  commands: readonly (readonly string[])[],
): Promise<readonly string[]> => {
  const configuration = mkdtempSync(join(tmpdir(), 'relay-az-'));
  const waiting = [...commands];
  const misunderstood: string[] = [];
  const worker = async () => {
    for (let args = waiting.pop(); args !== undefined; args = waiting.pop()) {
      const { status, stderr } = await exitOfAz(configuration, args);
      // az login ends so without a network, too.
      if (status === WRONG_USAGE && !stderr.includes('Max retries exceeded'))
        misunderstood.push(`az ${args.join(' ')}\n${stderr}`);
    }
  };
  try {
    await Promise.all([worker(), worker()]);
  } finally {
    rmSync(configuration, { recursive: true, force: true });
  }
  return misunderstood;
};
