import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

const DEPLOY = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
];
const GROUP = ['--resource-group', 'rg-relay'];

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = openSandbox();
  await sandbox.run('deploy.sh', [...DEPLOY, 'registration', 'infrastructure']);
});
afterEach(() => sandbox.close());

const commands = (run: Run): string[] =>
  run.calls.map((call) =>
    call
      .slice(
        1,
        call.findIndex((part) => part.startsWith('--')),
      )
      .join(' '),
  );

describe('what deploy.sh made', () => {
  test('goes with its resource group, and what Azure keeps is named with both ways out', async () => {
    const run = await sandbox.run('teardown.sh', [...GROUP, '--yes']);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(sandbox.cloud().group).toBe('');
    expect(run.stdout).toContain('Azure keeps the vault kv-relay, and its name, for 90 days');
    expect(run.stdout).toContain('az keyvault recover --name kv-relay');
    expect(run.stdout).toContain('az keyvault purge --name kv-relay');
    expect(sandbox.read('app-deleted')).toBe('');
  });

  test('goes with the registration when asked, first, while it is known which one', async () => {
    const run = await sandbox.run('teardown.sh', [...GROUP, '--registration', '--yes']);
    expect(run.status).toBe(0);
    const order = commands(run);
    expect(order.indexOf('ad app delete')).toBeGreaterThan(0);
    expect(order.indexOf('ad app delete')).toBeLessThan(order.indexOf('group delete'));
    expect(run.stdout).toContain('Entra keeps the app registration, and its unique name, for 30 days');
    expect(run.stdout).toContain('/directory/deletedItems/app-object-1/restore');
  });

  test('goes for good with --purge', async () => {
    const run = await sandbox.run('teardown.sh', [...GROUP, '--registration', '--purge', '--yes']);
    expect(run.status).toBe(0);
    expect(sandbox.read('deleted-vaults')).toBe('');
    expect(commands(run)).toContain('keyvault purge');
    expect(run.calls.at(-1)?.join(' ')).toContain('--method delete');
  });

  test('leaves a resource group that was there before, and what others have in it', async () => {
    sandbox.set('tags', 'owner=finance\n');
    sandbox.set(
      'strangers',
      '/subscriptions/x/resourceGroups/rg-relay/providers/Microsoft.Sql/servers/payroll\n',
    );
    const run = await sandbox.run('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    expect(commands(run)).not.toContain('group delete');
    expect(sandbox.lines('removed-resources')).toEqual([
      expect.stringContaining('Microsoft.Web/sites/func-relay'),
      expect.stringContaining('Microsoft.KeyVault/vaults/kv-relay'),
    ]);
  });

  test('leaves even its own resource group once others have put something there', async () => {
    sandbox.set(
      'strangers',
      '/subscriptions/x/resourceGroups/rg-relay/providers/Microsoft.Sql/servers/payroll\n',
    );
    const run = await sandbox.run('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('payroll, so the resource group stays.');
    expect(commands(run)).not.toContain('group delete');
  });
});

describe('before anything goes', () => {
  test('it asks for the name of the resource group', async () => {
    const run = await sandbox.run('teardown.sh', GROUP, {}, 'rg-relay\n');
    expect(run.status).toBe(0);
    expect(sandbox.cloud().group).toBe('');
  });

  test.each(['yes\n', ''])('any other answer (%j) removes nothing', async (answer) => {
    const run = await sandbox.run('teardown.sh', GROUP, {}, answer);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('nothing was removed');
    expect(sandbox.cloud().group).not.toBe('');
  });

  test('--what-if lists what would go and changes nothing', async () => {
    const before = sandbox.cloud();
    const run = await sandbox.run('teardown.sh', [...GROUP, '--registration', '--purge', '--what-if']);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('Microsoft.Web/sites/func-relay');
    expect(sandbox.cloud()).toEqual(before);
    expect(commands(run).filter((command) => /delete$|purge|update|create/.test(command))).toEqual([]);
  });
});

describe('a run cut short', () => {
  const FULL = [...GROUP, '--registration', '--purge', '--yes'];

  test(
    'at any of its calls is completed by the same command',
    async () => {
      const { calls } = await sandbox.run('teardown.sh', FULL);
      for (const at of calls.keys()) {
        sandbox.close();
        sandbox = openSandbox();
        await sandbox.run('deploy.sh', [...DEPLOY, 'registration', 'infrastructure']);
        const failing = await sandbox.run('teardown.sh', FULL, { FAIL_AT: String(at + 1) });
        const where = calls[at]?.join(' ');
        expect(failing.status, where).toBe(1);
        const resumed = await sandbox.run('teardown.sh', [
          ...FULL,
          '--client-id',
          '22222222-2222-2222-2222-222222222222',
        ]);
        expect(resumed.status, `${where}\n${resumed.stderr}`).toBe(0);
        expect(sandbox.cloud().group, where).toBe('');
        expect(sandbox.read('deleted-vaults'), where).toBe('');
      }
    },
    TOOLS_MS,
  );

  test('a second run finds nothing left to do', async () => {
    await sandbox.run('teardown.sh', FULL);
    const run = await sandbox.run('teardown.sh', GROUP);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('the resource group rg-relay does not exist');
  });
});

test.each([
  [[], "not ''"],
  [['-g'], '-g expects a value'],
  [[...GROUP, '--everything'], "'--everything' is not an option"],
  [[...GROUP, '--client-id', 'x'], 'a GUID'],
])('wrong usage %j', async (args, said) => {
  const run = await sandbox.run('teardown.sh', args);
  expect(run.status).toBe(2);
  expect(run.stderr).toContain(said);
  expect(run.calls).toEqual([]);
});
