import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { openSandbox, type Sandbox } from './az-stand-in/sandbox.ts';

const GROUP = ['--resource-group', 'rg-relay'];
const OPTIONS = [...GROUP, '--location', 'westeurope', '--sender', 'noreply@contoso.com'];
const PRINCIPAL = '33333333-3333-3333-3333-333333333333';
const OWNED_BY = '18a4783c-866b-4cc7-a460-3d5e5662c884';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = openSandbox();
  await sandbox.runOnce('deploy.sh', OPTIONS);
});
beforeEach(() => {
  for (const name of ['grants', 'owners', 'secret-roles']) sandbox.remove(name);
  sandbox.set('settings', '');
});
afterAll(() => sandbox.close());

const rotate = (days: string, environment: Record<string, string> = {}) =>
  sandbox.runOnce('deploy.sh', [...GROUP, '--rotate-secret', days, 'rotation'], environment);
const rights = () => ({
  permission: sandbox.read('grants').trim(),
  owners: sandbox.lines('owners'),
  roles: sandbox.lines('secret-roles'),
  settings: sandbox.lines('settings'),
});
const NONE = { permission: '', owners: [], roles: [], settings: [] };
const ALL = {
  permission: OWNED_BY,
  owners: [PRINCIPAL],
  // Key Vault Secrets Officer, on this secret.
  roles: ['assignment-on-secret\tb86a8fe4-44ce-4948-aee5-eccb2c155cd7'],
  settings: ['SECRET_ROTATION_DAYS=90'],
};

test('a relay does not have any right to renew its secret unless asked for', () => {
  expect(rights()).toEqual(NONE);
});

test('--rotate-secret gives three rights, and then the setting', async () => {
  const run = await rotate('90');
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(rights()).toEqual(ALL);
});

test('again, it changes nothing; with other days, the setting alone', async () => {
  await rotate('90');
  const again = await rotate('90');
  expect(again.calls.map((call) => call.join(' ')).filter((call) => / (set|add|create) /.test(call))).toEqual(
    [],
  );
  await rotate('30');
  expect(rights()).toEqual({ ...ALL, settings: ['SECRET_ROTATION_DAYS=30'] });
});

test('off takes the setting first, and then every right', async () => {
  await rotate('90');
  const run = await rotate('off');
  expect(run.status).toBe(0);
  expect(rights()).toEqual(NONE);
  const changes = run.calls
    .map((call) => call.join(' '))
    .filter((call) => / (set|remove|delete) /.test(call));
  expect(changes[0]).toContain('SECRET_ROTATION_DAYS=');
});

test(
  'a run that was cut at any call continues, in both directions',
  async () => {
    const count = (await rotate('90')).calls.length;
    const back = (await rotate('off')).calls.length;
    for (let cut = 7; cut <= count; cut += 2) {
      await rotate('90', { FAIL_AT: String(cut) });
      // The setting only where every right is there.
      if (rights().settings.length > 0) expect(rights(), `cut at ${cut}`).toEqual(ALL);
      expect((await rotate('90')).status).toBe(0);
      expect(rights(), `cut at ${cut}`).toEqual(ALL);
      await rotate('off', { FAIL_AT: String(Math.min(cut, back)) });
      expect((await rotate('off')).status).toBe(0);
      expect(rights(), `cut at ${cut}`).toEqual(NONE);
    }
  },
  TOOLS_MS,
);

test('whoever lacks a right hears who has it, and another person continues', async () => {
  const refused = await rotate('90', { LACKS: 'graph-mail-relay-consent' });
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain('Privileged Role Administrator');
  expect(refused.stderr).toContain('infra/deploy.sh --resource-group rg-relay --rotate-secret 90 rotation');
  expect(rights()).toEqual(NONE);
  expect((await rotate('90')).status).toBe(0);
});

test('a relay without a client secret has none to renew', async () => {
  sandbox.set('settings', 'GRAPH_CREDENTIAL=federated\n');
  const refused = await rotate('90');
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('has no client secret that the relay could renew');
});
