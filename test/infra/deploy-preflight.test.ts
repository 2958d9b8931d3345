import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';
import { readInfra, templates } from './bicep-text.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
];
/** Registered in every subscription, always. */
const ALWAYS_THERE = ['Microsoft.Authorization', 'Microsoft.Resources'];

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const calls = (run: Run, words: string): string[] =>
  run.calls.map((call) => call.join(' ')).filter((call) => call.startsWith(`az ${words}`));

const providersOf = (bicep: string): string[] => [
  ...new Set(
    [...bicep.matchAll(/'(Microsoft\.\w+)\/[\w/]+(?:@[\w.-]+)?'/g)]
      .map(([, provider]) => provider ?? '')
      .filter((provider) => provider !== 'Microsoft.Graph' && !ALWAYS_THERE.includes(provider)),
  ),
];

const listIn = (script: string, name: string): string[] =>
  new RegExp(`${name}='([^']+)'`).exec(readInfra(script))?.[1]?.split(' ') ?? [];

describe('resource providers', () => {
  test('the script knows exactly those that the templates use', () => {
    const optional = ['private-network.bicep', 'vault-events.bicep'];
    const modules = templates.filter((path) => optional.every((name) => !path.endsWith(name)));
    const always = [...new Set(modules.flatMap((path) => providersOf(readInfra(path))))].sort();
    expect(listIn('scripts/infrastructure.sh', 'readonly PROVIDERS')).toEqual(always);
    const moreOf = (name: string) =>
      providersOf(readInfra(`modules/${name}`))
        .filter((provider) => !always.includes(provider))
        .sort();
    expect(listIn('scripts/infrastructure.sh', 'PRIVATE_NETWORK_PROVIDERS')).toEqual(
      moreOf('private-network.bicep'),
    );
    expect(listIn('scripts/infrastructure.sh', 'VAULT_EVENTS_PROVIDERS')).toEqual(
      moreOf('vault-events.bicep'),
    );
  });

  test('that are missing are registered before anything is deployed', async () => {
    sandbox.set('providers', 'Microsoft.Storage\nMicrosoft.Web\nMicrosoft.KeyVault\nMicrosoft.Insights\n');
    const run = await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(run.status).toBe(0);
    expect(calls(run, 'provider register')).toEqual([
      expect.stringContaining('--namespace Microsoft.ManagedIdentity --wait'),
      expect.stringContaining('--namespace Microsoft.OperationalInsights --wait'),
    ]);
    const order = run.calls.map((call) => call.slice(0, 4).join(' '));
    expect(order.lastIndexOf('az provider register --namespace')).toBeLessThan(
      order.indexOf('az deployment group create'),
    );
  });

  test('that may not be registered stop the run, with the line for each', async () => {
    sandbox.set('providers', 'Microsoft.Storage\nMicrosoft.Web\nMicrosoft.KeyVault\nMicrosoft.Insights\n');
    const run = await sandbox.runOnce('deploy.sh', OPTIONS, { LACKS: 'provider register' });
    expect(run.status).toBe(3);
    for (const name of ['Microsoft.ManagedIdentity', 'Microsoft.OperationalInsights'])
      expect(run.stderr).toContain(
        `az provider register --subscription 11111111-1111-1111-1111-111111111111 --namespace ${name} --wait`,
      );
    expect(calls(run, 'deployment group create')).toEqual([]);
  });

  test('of a private network are needed where the parameters ask for one', async () => {
    const file = join(sandbox.root, 'my parameters.json');
    writeFileSync(file, '{"parameters":{"options":{"value":{"privateNetwork":true}}}}');
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--parameters', file]);
    expect(run.status).toBe(0);
    expect(calls(run, 'provider register')).toEqual([
      expect.stringContaining('Microsoft.App'),
      expect.stringContaining('Microsoft.Network'),
    ]);
    expect(sandbox.lines('deployment-graph-mail-relay')).toContain(file);
  });

  test('that may not be listed are named, and the run goes on', async () => {
    const run = await sandbox.runOnce('deploy.sh', OPTIONS, { LACKS: 'provider list' });
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('MissingSubscriptionRegistration');
  });

  test('are only named with --what-if', async () => {
    sandbox.set('providers', '');
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--what-if']);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain(
      'would register the resource providers Microsoft.Insights Microsoft.KeyVault',
    );
    expect(calls(run, 'provider register')).toEqual([]);
  });
});

describe('Bicep', () => {
  test('that is too old for the Graph extension stops the run before anything is made, with the way to upgrade', async () => {
    const run = await sandbox.runOnce('deploy.sh', OPTIONS, { BICEP_VERSION: '0.36.0' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('Bicep 0.36.0 is too old');
    expect(run.stderr).toContain('Install version 0.36.1 or newer: az bicep upgrade');
    expect(sandbox.cloud().group).toBe('');
  });

  test.each(['0.36.1', '0.100.0', '1.0.0'])('%s is new enough', async (version) => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--what-if'], { BICEP_VERSION: version });
    expect(run.status).toBe(0);
  });

  test('that is not there is left to az, which installs the newest', async () => {
    sandbox.set('no-bicep', '');
    const run = await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });

  test('is not asked for by steps that deploy no template', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    const run = await sandbox.runOnce(
      'deploy.sh',
      ['-g', 'rg-relay', '--test-to', 'me@contoso.com', 'test-mail'],
      {
        BICEP_VERSION: '0.1.0',
      },
    );
    expect(run.status).toBe(0);
  });
});

test.each([
  ['deploy.sh', OPTIONS],
  ['teardown.sh', ['--resource-group', 'rg-relay', '--registration', '--yes']],
])(
  '%s does not take a subscription of another tenant than az is in, as Entra would be asked there',
  async (script, options) => {
    const run = await sandbox.runOnce(script, [...options, '--subscription', 'another'], {
      CURRENT_TENANT: '88888888-8888-8888-8888-888888888888',
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('az account set --subscription');
    expect(calls(run, 'group')).toEqual([]);
    expect((await sandbox.runOnce(script, [...options, '--subscription', 'this one'])).status).toBe(0);
  },
);

test('infra/main.bicepparam can be given, which reads what the script knows from the environment', async () => {
  const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--parameters', 'infra/main.bicepparam']);
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test.each(['deploy.sh', 'teardown.sh'])('%s finds its own files whatever CDPATH says', async (script) => {
  const elsewhere = join(sandbox.root, 'elsewhere');
  mkdirSync(join(elsewhere, 'infra'), { recursive: true });
  const run = await sandbox.runOnce(script, ['--help'], { CDPATH: elsewhere });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});
