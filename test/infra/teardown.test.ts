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

const IN_GROUP = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-relay/providers';
const PAYROLL = `${IN_GROUP}/Microsoft.Sql/servers/payroll`;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = openSandbox();
  await sandbox.runOnce('deploy.sh', [...DEPLOY, 'registration', 'infrastructure']);
});
afterEach(() => sandbox.close());

/** Resources that are there, as the ends of their ids. */
const resources = (): (string | undefined)[] =>
  sandbox.lines('resources').map((line) => line.split('\t')[0]?.split('/').at(-1));
const addResource = (id: string, tag = '-') =>
  sandbox.set('resources', `${sandbox.read('resources')}${id}\t${tag}\t-\n`);
/** A resource group that was there before deploy.sh. */
const shareGroup = () => sandbox.set('tags', 'owner=finance\n');
/** As a version of before the tag has deployed them. */
const removeTags = () =>
  sandbox.set('resources', sandbox.read('resources').replaceAll('\tmail-relay\t', '\t-\t'));

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
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(sandbox.cloud().group).toBe('');
    expect(run.stdout).toContain('Azure keeps the vault kv-relay, and its name, for 90 days');
    expect(run.stdout).toContain('az keyvault recover --name kv-relay');
    expect(run.stdout).toContain('az keyvault purge --name kv-relay');
    expect(sandbox.read('app-deleted')).toBe('');
  });

  test('goes with the registration when asked, first, while it is known which one', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--registration', '--yes']);
    expect(run.status).toBe(0);
    const order = commands(run);
    expect(order.indexOf('ad app delete')).toBeGreaterThan(0);
    expect(order.indexOf('ad app delete')).toBeLessThan(order.indexOf('group delete'));
    expect(run.stdout).toContain('Entra keeps the app registration, and its unique name, for 30 days');
    expect(run.stdout).toContain('/directory/deletedItems/app-object-1/restore');
  });

  test('goes for good with --purge', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--registration', '--purge', '--yes']);
    expect(run.status).toBe(0);
    expect(sandbox.read('deleted-vaults')).toBe('');
    expect(commands(run)).toContain('keyvault purge');
    expect(run.calls.at(-1)?.join(' ')).toContain('--method delete');
  });

  test('leaves a resource group that was there before, and what others have in it', async () => {
    shareGroup();
    addResource(PAYROLL);
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(commands(run)).not.toContain('group delete');
    // The rule that Azure added to the component goes with it.
    expect(resources()).toEqual(['payroll']);
  });

  test('leaves even its own resource group once others have put something there', async () => {
    addResource(PAYROLL);
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('payroll, so the resource group stays.');
    expect(commands(run)).not.toContain('group delete');
    expect(resources()).toEqual(['payroll']);
  });

  test('of before the tag is found by the record of the deployment', async () => {
    removeTags();
    shareGroup();
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    // The record names no component.
    expect(resources()).toEqual(['appi-relay', 'Failure Anomalies - appi-relay']);
  });

  test('stays where purge protection keeps it, and the rest is purged', async () => {
    sandbox.set('purge-protected', '');
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--registration', '--purge', '--yes']);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('the vault kv-relay has purge protection');
    expect(run.stdout).toContain('purged the app registration');
  });
});

describe('a deployment that failed halfway', () => {
  const failHalfway = async () => {
    sandbox.close();
    sandbox = openSandbox();
    const failed = await sandbox.runOnce('deploy.sh', [...DEPLOY, 'registration', 'infrastructure'], {
      FAIL_DEPLOYMENT: '(BadRequest) The template was rejected.',
    });
    expect(failed.status).toBe(1);
    expect(resources()).toEqual(['kv-relay']);
  };
  beforeEach(failHalfway);

  test('is removed with its resource group', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('Microsoft.KeyVault/vaults/kv-relay');
    expect(sandbox.cloud().group).toBe('');
  });

  test('is removed from a resource group that others use', async () => {
    shareGroup();
    addResource(PAYROLL);
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--purge', '--yes']);
    expect(run.status).toBe(0);
    expect(resources()).toEqual(['payroll']);
    expect(sandbox.read('deleted-vaults')).toBe('');
  });

  test.each(['its own', 'a shared'])(
    'without tags in %s resource group stops and names what is there, instead of reporting success',
    async (kind) => {
      removeTags();
      if (kind === 'a shared') shareGroup();
      const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
      expect(run.status).toBe(1);
      expect(run.stderr).toContain('the last deployment is Failed, and Azure does not say what it created');
      expect(run.stderr).toContain('Microsoft.KeyVault/vaults/kv-relay');
      expect(run.stderr).toContain('az group delete --name rg-relay');
      expect(resources()).toEqual(['kv-relay']);
    },
  );
});

describe('with another relay in the resource group', () => {
  const OTHER = `${IN_GROUP}/Microsoft.Web/sites/func-second`;
  beforeEach(() => addResource(OTHER, 'second'));

  test('it asks which one', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('has several relays: mail-relay second');
    expect(resources()).toContain('func-relay');
  });

  test.each(['mail-relay', 'Mail-Relay'])(
    '--name %s removes that one, and nothing of the other',
    async (name) => {
      const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--name', name, '--yes']);
      expect(run.status).toBe(0);
      expect(resources()).toEqual(['func-second']);
      expect(sandbox.cloud().group).not.toBe('');
    },
  );

  test('--name of the other one does not take what the record of the last deployment names', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--name', 'second', '--yes']);
    expect(run.status).toBe(0);
    expect(resources()).toEqual(['kv-relay', 'func-relay', 'appi-relay', 'Failure Anomalies - appi-relay']);
  });

  test('a name that no resource has removes nothing, and the names are listed', async () => {
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--name', 'third', '--yes']);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("has no relay 'third'; it has: mail-relay second");
    expect(run.stderr).toContain("nothing of a relay 'third' was found in rg-relay. Nothing was removed.");
    expect(commands(run)).not.toContain('resource delete');
  });

  test('the registration on record goes only if it is named', async () => {
    const run = await sandbox.runOnce('teardown.sh', [
      ...GROUP,
      '--name',
      'mail-relay',
      '--registration',
      '--yes',
    ]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--client-id <id>');
    expect(sandbox.read('app-deleted')).toBe('');
    expect(resources()).toContain('func-relay');
  });

  test('its deleted vault is not purged', async () => {
    sandbox.set('deleted-vaults', `kv-second\t${IN_GROUP}/Microsoft.KeyVault/vaults/kv-second\tsecond\n`);
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--name', 'mail-relay', '--purge', '--yes']);
    expect(run.status).toBe(0);
    expect(sandbox.lines('deleted-vaults')).toEqual([expect.stringContaining('kv-second')]);
    expect(run.stdout).toContain('not of this relay, and stay as they are: kv-second');
  });
});

test('a deleted vault of before the tag is known by its name, and one of another product is left', async () => {
  const vault = (name: string) => `${name}\t${IN_GROUP.toUpperCase()}/Microsoft.KeyVault/vaults/${name}\t-\n`;
  sandbox.set(
    'deleted-vaults',
    vault('kv-mailrel-abcdefghijklm') +
      vault('kv-payroll') +
      vault('kv-mailrel-nopqrstuvwxyz').replace(/rg-relay/i, 'rg-relay-2'),
  );
  const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--purge', '--yes']);
  expect(run.status).toBe(0);
  expect(sandbox.lines('deleted-vaults').map((line) => line.split('\t')[0])).toEqual([
    'kv-payroll',
    'kv-mailrel-nopqrstuvwxyz',
  ]);
});

describe('a private DNS zone', () => {
  const ZONE = 'privatelink.blob.core.windows.net';
  beforeEach(() => addResource(`${IN_GROUP}/Microsoft.Network/privateDnsZones/${ZONE}`));

  test('that only this relay uses goes with it', async () => {
    shareGroup();
    sandbox.set(`links-${ZONE}`, 'mail-relay\n');
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    expect(resources()).toEqual([]);
  });

  test.each(['mail-relay\nsecond\n', 'second\n', 'mail-relay\n-\n'])(
    'that another network uses too (%j) stays',
    async (links) => {
      sandbox.set(`links-${ZONE}`, links);
      const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
      expect(run.status).toBe(0);
      expect(resources()).toEqual([ZONE]);
      expect(run.stdout).not.toContain(`  Microsoft.Network/privateDnsZones/${ZONE}`);
    },
  );

  test('with the tag of the relay that was deployed last, as versions before have left it, is judged alike', async () => {
    sandbox.set('resources', sandbox.read('resources').replace(`${ZONE}\t-`, `${ZONE}\tsecond`));
    sandbox.set(`links-${ZONE}`, 'mail-relay\n');
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--yes']);
    expect(run.status).toBe(0);
    expect(sandbox.cloud().group).toBe('');
  });

  test('that a failed deployment has linked to no network goes with its resource group, and stays in a shared one', async () => {
    shareGroup();
    expect((await sandbox.runOnce('teardown.sh', [...GROUP, '--what-if'])).stdout).not.toContain(ZONE);
    sandbox.set('tags', 'graphMailRelayGroup=made-by-deploy\n');
    expect((await sandbox.runOnce('teardown.sh', [...GROUP, '--what-if'])).stdout).toContain(ZONE);
  });
});

describe('before anything goes', () => {
  test('it asks for the name of the resource group', async () => {
    const run = await sandbox.runOnce('teardown.sh', GROUP, {}, 'rg-relay\n');
    expect(run.status).toBe(0);
    expect(sandbox.cloud().group).toBe('');
  });

  test.each(['yes\n', ''])('any other answer (%j) removes nothing', async (answer) => {
    const run = await sandbox.runOnce('teardown.sh', GROUP, {}, answer);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('nothing was removed');
    expect(sandbox.cloud().group).not.toBe('');
  });

  test('--what-if lists what would go and changes nothing', async () => {
    const before = sandbox.cloud();
    const run = await sandbox.runOnce('teardown.sh', [...GROUP, '--registration', '--purge', '--what-if']);
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
      const { calls } = await sandbox.runOnce('teardown.sh', FULL);
      for (const at of calls.keys()) {
        sandbox.close();
        sandbox = openSandbox();
        await sandbox.runOnce('deploy.sh', [...DEPLOY, 'registration', 'infrastructure']);
        const failing = await sandbox.runOnce('teardown.sh', FULL, { FAIL_AT: String(at + 1) });
        const where = calls[at]?.join(' ');
        expect(failing.status, where).toBe(1);
        const resumed = await sandbox.runOnce('teardown.sh', [
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
    await sandbox.runOnce('teardown.sh', FULL);
    const run = await sandbox.runOnce('teardown.sh', GROUP);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('the resource group rg-relay does not exist');
  });
});

test.each([
  [[], "not ''"],
  [['-g'], '-g expects a value'],
  [['-g', '--yes'], "-g expects a value, not the option '--yes'"],
  [[...GROUP, '--everything'], "'--everything' is not an option"],
  [[...GROUP, '--client-id', 'x'], 'a GUID'],
  [[...GROUP, '--name', 'x/y'], "not 'x/y'"],
])('wrong usage %j', async (args, said) => {
  const run = await sandbox.runOnce('teardown.sh', args);
  expect(run.status).toBe(2);
  expect(run.stderr).toContain(said);
  expect(run.calls).toEqual([]);
});
