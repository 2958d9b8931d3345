import { beforeAll, describe, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { azVersion, misunderstoodByAz } from '../support/real-az.ts';
import { openSandbox } from './az-stand-in/sandbox.ts';

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
      await sandbox.run('deploy.sh', [...options, 'secret'], { FAIL_AT: '9', FAIL_WITH: 'SecretNotFound' }),
      await sandbox.run('deploy.sh', [...options, '--renew-secret', 'secret']),
    ];
    const zone = '/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net';
    sandbox.set('resources', `${sandbox.read('resources')}${zone}\t-\t-\n`);
    runs.push(await sandbox.run('teardown.sh', [...group, '--registration', '--purge', '--yes']));
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

const WRONG = ['group', 'exists', '--name', 'x', '--colour', 'red'];

describe.skipIf(azVersion === undefined)(
  `the real az (${azVersion ?? 'skipped: the Azure CLI is not installed'})`,
  () => {
    let recorded = 0;
    let misunderstood: readonly string[] = [];
    beforeAll(async () => {
      const calls = await recordCalls();
      recorded = calls.length;
      misunderstood = await misunderstoodByAz([...calls.map((call) => call.slice(1)), WRONG]);
    }, TOOLS_MS);

    test('understands every command line', () => {
      expect(recorded).toBeGreaterThan(25);
      expect(misunderstood.slice(0, -1)).toEqual([]);
    });

    test('and refuses one with an option it does not have, or this would prove nothing', () => {
      expect(misunderstood.at(-1)).toContain('--colour red');
    });
  },
);

test('where the tools are required, az is there', () => {
  if (process.env.REQUIRE_INFRA_TOOLS === '1')
    expect(azVersion, 'az is not on the PATH, and REQUIRE_INFRA_TOOLS is 1').toBeDefined();
});
