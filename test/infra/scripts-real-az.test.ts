import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { openSandbox } from './az-stand-in/sandbox.ts';

/** What argparse, and az with it, answers to a command line it does not understand. */
const WRONG_USAGE = 2;

const version = spawnSync('az', ['version', '--query', '"azure-cli"', '--output', 'tsv'], {
  encoding: 'utf8',
});
const hasAz = version.status === 0 && /^\d+\.\d+\.\d+\s*$/.test(version.stdout);

let configuration = '';
beforeAll(() => {
  configuration = mkdtempSync(join(tmpdir(), 'relay-az-'));
});
afterAll(() => rmSync(configuration, { recursive: true, force: true }));

/** Signed in nowhere and cut off from the network, so that a command line is read and nothing more comes of it. */
const exitOfAz = (args: readonly string[]): Promise<{ status: number; stderr: string }> =>
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

/** One of each kind of call: the words of the command and the names of its options. */
const kindOf = (call: readonly string[]): string =>
  call
    .filter((part, index) => part.startsWith('--') || !call.slice(0, index).some((p) => p.startsWith('--')))
    .join(' ');

const recordCalls = async (): Promise<(readonly string[])[]> => {
  const sandbox = openSandbox();
  const group = ['--resource-group', 'rg-relay'];
  const options = [...group, '--location', 'westeurope', '--sender', 'noreply@contoso.com'];
  try {
    const runs = [
      await sandbox.run('deploy.sh', [
        ...options,
        '--consent',
        '--test-to',
        'me@contoso.com',
        '--alert-to',
        'it@contoso.com',
        '--also-grant',
        'Mail.Read',
      ]),
      await sandbox.run('deploy.sh', [
        ...options,
        '--client-id',
        '22222222-2222-2222-2222-222222222222',
        '--what-if',
      ]),
      await sandbox.run('deploy.sh', [...options, 'secret'], { FAIL_AT: '6', FAIL_WITH: 'SecretNotFound' }),
      await sandbox.run('deploy.sh', [...options, '--renew-secret', 'secret']),
      await sandbox.run('teardown.sh', [...group, '--registration', '--purge', '--yes']),
    ];
    sandbox.set('app-deleted', 'app-object-1');
    sandbox.set('deleted-vaults', '');
    runs.push(await sandbox.run('deploy.sh', options));
    sandbox.set('tags', '');
    sandbox.set('providers', '');
    runs.push(await sandbox.run('deploy.sh', options));
    runs.push(await sandbox.run('teardown.sh', [...group, '--registration', '--yes']));
    const kinds = new Map(
      runs.flatMap(({ calls }) =>
        calls.filter(([tool]) => tool === 'az').map((call) => [kindOf(call), call]),
      ),
    );
    return [...kinds.values()];
  } finally {
    sandbox.close();
  }
};

test.skipIf(!hasAz)(
  `the real az understands every command line${hasAz ? ` (${version.stdout.trim()})` : ' (skipped: the Azure CLI is not installed)'}`,
  async () => {
    const calls = await recordCalls();
    expect(calls.length).toBeGreaterThan(25);
    const misunderstood: string[] = [];
    const worker = async () => {
      for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
        const { status, stderr } = await exitOfAz(call.slice(1));
        if (status === WRONG_USAGE) misunderstood.push(`${call.join(' ')}\n${stderr}`);
      }
    };
    await Promise.all([worker(), worker()]);
    expect(misunderstood).toEqual([]);
  },
  TOOLS_MS,
);

test.skipIf(!hasAz)(
  'and refuses one with an option it does not have, or this would prove nothing',
  async () => {
    const { status } = await exitOfAz(['group', 'exists', '--name', 'x', '--colour', 'red']);
    expect(status).toBe(WRONG_USAGE);
  },
);
