import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './az-stand-in/sandbox.ts';

const SCRIPT = 'scripts/store-client-secret.sh';
const VAULT_ID =
  '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-relay/providers/Microsoft.KeyVault/vaults/kv-relay';
const OPTIONS = ['--vault-id', VAULT_ID, '--client-id', '22222222-2222-2222-2222-222222222222'];
const DAY_MS = 86_400_000;

const inDays = (days: number): string =>
  `${new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 19)}Z`;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

/** A secret in the vault, and at Entra those that `atEntra` names. */
const stored = (keyId: string, expires: string, atEntra: readonly string[] = [keyId]) => {
  sandbox.set('secret', `graph-client-secret\t${expires}\t${keyId}\n`);
  sandbox.set(
    'credentials',
    atEntra.map((id) => `${id}\tgraph-mail-relay kv-relay earlier\t${expires}\n`).join(''),
  );
};

describe('a client secret is made', () => {
  test.each([
    ['where none is stored', () => {}],
    ['where the stored one has expired', () => stored('old', inDays(-1))],
    ['where Entra no longer knows the stored one', () => stored('old', inDays(90), ['another'])],
  ])('%s', async (_, before) => {
    before();
    const run = await sandbox.run(SCRIPT, OPTIONS);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain("a new client secret is stored: 'graph-client-secret' in kv-relay");
    expect(sandbox.read('secret')).toContain('\tkey-1\n');
    expect(sandbox.cloud().borrowedRoles).toBe('');
  });

  test('that lives as long as asked, at Entra and in the vault alike', async () => {
    await sandbox.run(SCRIPT, [...OPTIONS, '--days', '90']);
    const expected = inDays(90).slice(0, 10);
    expect(sandbox.read('secret').split('\t')[1]?.slice(0, 10)).toBe(expected);
    expect(sandbox.read('credentials').split('\t')[2]?.slice(0, 10)).toBe(expected);
  });

  test('on --renew beside the old one, which is named with the command that removes it', async () => {
    stored('old', inDays(90));
    const run = await sandbox.run(SCRIPT, [...OPTIONS, '--renew']);
    expect(run.status).toBe(0);
    expect(sandbox.cloud()).toMatchObject({ secretsAtEntra: 2, storedSecretIsOneOfThem: true });
    expect(run.stderr).toContain(
      'az ad app credential delete --id 22222222-2222-2222-2222-222222222222 --key-id old',
    );
  });
});

describe('nothing is made', () => {
  test('where a valid secret is stored', async () => {
    stored('old', inDays(90));
    const run = await sandbox.run(SCRIPT, OPTIONS);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain(
      `a valid client secret is stored: 'graph-client-secret' in kv-relay, until ${inDays(90).slice(0, 10)}`,
    );
    expect(sandbox.read('made')).toBe('0');
  });

  test('where it is valid for some days yet, but that is said', async () => {
    stored('old', inDays(20));
    const run = await sandbox.run(SCRIPT, OPTIONS);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain(`expires on ${inDays(20).slice(0, 10)}. Renew it: --renew`);
    expect(sandbox.read('made')).toBe('0');
  });

  test('and a role left borrowed by a run cut short is given back', async () => {
    stored('old', inDays(90));
    sandbox.set('roles', 'assignment-1\trole\tgraph-mail-relay: temporary role to store the client secret\n');
    const run = await sandbox.run(SCRIPT, OPTIONS);
    expect(run.stdout).toContain('removed the temporary role assignment');
    expect(sandbox.cloud().borrowedRoles).toBe('');
  });

  test('where the vault opens without a role, none is borrowed', async () => {
    sandbox.set('vault-open', '');
    const run = await sandbox.run(SCRIPT, OPTIONS);
    expect(run.status).toBe(0);
    expect(run.calls.map((call) => call.slice(0, 4).join(' '))).not.toContain('az role assignment create');
  });
});

describe('what stands in the way is named', () => {
  test.each([
    ['--renew', 'Credential lifetime exceeds the max value allowed as per assigned policy', '--days 90'],
    ['--renew', 'CredentialTypeNotAllowedAsPerAppPolicy', 'Application policies'],
  ])('%s: %s', async (option, policy, advice) => {
    sandbox.set('vault-open', '');
    const calls = (await sandbox.run(SCRIPT, [...OPTIONS, option])).calls;
    const at = calls.findIndex((call) => call.includes('reset')) + 1;
    const run = await sandbox.run(SCRIPT, [...OPTIONS, option], { FAIL_AT: String(at), FAIL_WITH: policy });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(advice);
  });

  test('the firewall of the vault, which no role opens', async () => {
    const run = await sandbox.run(SCRIPT, OPTIONS, {
      FAIL_AT: '2',
      FAIL_WITH:
        '(Forbidden) Client address is not authorized and caller is not a trusted service. ForbiddenByFirewall',
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('operatorIpRanges');
    expect(run.calls).toHaveLength(2);
  });

  test.each([
    [[], '--vault-id expects'],
    [['--vault-id', 'kv-relay'], "not 'kv-relay'"],
    [[...OPTIONS, '--days', '0'], "not '0'"],
    [[...OPTIONS, '--value', 'x'], "'--value' is not an option"],
  ])('wrong usage %j', async (args, said) => {
    const run = await sandbox.run(SCRIPT, args);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(said);
  });
});
