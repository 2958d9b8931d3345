import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConnection } from '../../src/lib/connections/connection-definition.ts';
import { TOOLS_MS } from '../support/patience.ts';
import { CANARY, openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

const GROUP = ['--resource-group', 'rg-relay'];
const OPTIONS = [...GROUP, '--location', 'westeurope', '--sender', 'noreply@contoso.com'];
const TENANT = '99999999-9999-9999-9999-999999999999';
const CLIENT = '22222222-2222-2222-2222-222222222222';
const IDENTITY = '55555555-5555-5555-5555-555555555555';
const IDENTITY_PRINCIPAL = '66666666-6666-6666-6666-666666666666';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const run = (...args: string[]) => sandbox.runOnce('deploy.sh', args);
const settings = () => sandbox.lines('settings').sort();
/** What a run changed of the settings of the app, call by call. */
const changedSettings = (ran: Run): string[][] =>
  ran.calls
    .filter((call) => call.join(' ').startsWith('az functionapp config appsettings set'))
    .map((call) => call.slice(call.indexOf('--settings') + 1, call.indexOf('--output')));
const at = (ran: Run, words: string) => ran.calls.findIndex((call) => call.join(' ').includes(words));

describe('a new relay', () => {
  test.each(['certificate', 'managed-identity', 'federated'])(
    'begins with the credential %s and makes no client secret',
    async (kind) => {
      const made = await run(...OPTIONS, '--credential', kind);
      expect(made).toMatchObject({ status: 0, stderr: '' });
      expect(settings()).toEqual([`GRAPH_CREDENTIAL=${kind}`]);
      expect(sandbox.cloud()).toMatchObject({ secretsAtEntra: 0, borrowedRoles: '' });
      expect(made.stdout).toContain(`credential    ${kind}`);
    },
  );

  test('has a certificate that the vault makes and renews, whose public part the registration has', async () => {
    await run(...OPTIONS, '--credential', 'certificate');
    expect(JSON.parse(sandbox.read('policy'))).toMatchObject({
      issuerParameters: { name: 'Self' },
      keyProperties: { exportable: true, reuseKey: false },
      secretProperties: { contentType: 'application/x-pem-file' },
      x509CertificateProperties: { validityInMonths: 12 },
      lifetimeActions: [{ action: { actionType: 'AutoRenew' }, trigger: { lifetimePercentage: 80 } }],
    });
    expect(sandbox.lines('certificates')).toHaveLength(1);
  });

  test('lets its managed identity, and no other, act as the registration', async () => {
    await run(...OPTIONS, '--credential', 'federated');
    expect(sandbox.lines('federations')).toEqual([
      [
        `relay-${IDENTITY_PRINCIPAL}`,
        `https://login.microsoftonline.com/${TENANT}/v2.0`,
        IDENTITY_PRINCIPAL,
        'api://AzureADTokenExchange',
      ].join('\t'),
    ]);
  });

  test('in a national cloud uses the addresses of that cloud', async () => {
    const made = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent', '--credential', 'federated'], {
      CLOUD: 'AzureUSGovernment',
    });
    expect(made.status).toBe(0);
    expect(sandbox.lines('federations')).toEqual([
      expect.stringContaining(
        `\thttps://login.microsoftonline.us/${TENANT}/v2.0\t${IDENTITY_PRINCIPAL}\tapi://AzureADTokenExchangeUSGov`,
      ),
    ]);
    expect(made.calls.flat().filter((word) => word.includes('graph.microsoft.com'))).toEqual([]);
    expect(at(made, 'https://graph.microsoft.us/v1.0/')).toBeGreaterThan(0);
  });

  test('grants the permission to the managed identity where that is what sends', async () => {
    const made = await run(...OPTIONS, '--consent', '--credential', 'managed-identity');
    expect(made.status).toBe(0);
    expect(sandbox.read('identity-grants')).toBe('b633e1c5-b582-4048-a93e-9f11b44c7e96\n');
    expect(sandbox.cloud().grants).toBe('');
  });

  test('names the managed identity to the Exchange administrator where that is what sends', async () => {
    const { stdout } = await run(...OPTIONS, '--credential', 'managed-identity');
    expect(stdout).toContain(`-ClientId ${IDENTITY} \``);
    expect(stdout).toContain(`-ServicePrincipalId ${IDENTITY_PRINCIPAL} \``);
  });
});

describe('a relay that runs', () => {
  const CREDENTIAL = [...GROUP, '--credential'];
  let running: Sandbox;
  beforeAll(async () => {
    running = openSandbox();
    await running.run('deploy.sh', OPTIONS);
  });
  // Closed with the others: what it is before each test is copied.
  beforeEach(() => cpSync(join(running.root, 'state'), join(sandbox.root, 'state'), { recursive: true }));
  afterAll(() => running.close());

  test('keeps its credential in a run that names none', async () => {
    sandbox.set('settings', 'GRAPH_CREDENTIAL=federated\n');
    const again = await run(...OPTIONS);
    expect(again.status).toBe(0);
    expect(changedSettings(again)).toEqual([]);
    expect(again.stdout).toContain('credential    federated');
  });

  test.each([
    [
      'certificate',
      { clientId: CLIENT, credential: 'certificate', certificateName: 'graph-client-certificate' },
    ],
    ['federated', { clientId: CLIENT, credential: 'federated' }],
  ])('tries the credential %s beside its own, and uses it once Entra accepts it', async (kind, expected) => {
    const moved = await run(...CREDENTIAL, kind, 'credential');
    expect(moved).toMatchObject({ status: 0, stderr: '' });
    const [tried = [], used = []] = changedSettings(moved);
    const [name, text = ''] = tried[0]?.split(/=(.*)/s) ?? [];
    expect(name).toBe('GRAPH_CONNECTION_NEXT');
    // As the relay reads it; no email goes by it.
    expect(readConnection({ ...JSON.parse(text), name: 'next' }, name ?? '')).toMatchObject({
      problems: [],
      connections: [{ ...expected, tenantId: TENANT, senders: ['next@relay.invalid'] }],
    });
    expect(used).toContain(`GRAPH_CREDENTIAL=${kind}`);
    expect(used).toContain('GRAPH_CONNECTION_NEXT=');
    // Registered, tried, proved, used: in this order.
    const order = [
      at(moved, kind === 'federated' ? 'federated-credential create' : 'credential reset'),
      at(moved, 'GRAPH_CONNECTION_NEXT={'),
      at(moved, 'read-doctor.ts next'),
      at(moved, `GRAPH_CREDENTIAL=${kind}`),
    ];
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(settings()).not.toContainEqual(expect.stringContaining('GRAPH_CONNECTION_NEXT'));
  });

  test('removes nothing of the old credential, so that the way back is open', async () => {
    await run(...CREDENTIAL, 'certificate', 'credential');
    expect(sandbox.cloud()).toMatchObject({ secretsAtEntra: 1, storedSecretIsOneOfThem: true });
    const back = await run(...CREDENTIAL, 'client-secret', 'credential');
    expect(back.status).toBe(0);
    expect(changedSettings(back)[0]?.[0]).toContain('"secretName":"graph-client-secret"');
    expect(settings()).toContain('GRAPH_CREDENTIAL=client-secret');
    expect(sandbox.lines('certificates')).toHaveLength(1);
  });

  test('keeps its credential where Entra does not accept the new one, says why, and continues later', async () => {
    const refused = await sandbox.runOnce('deploy.sh', [...CREDENTIAL, 'federated', 'credential'], {
      NEXT_STATE: 'failed',
      NEXT_SEEN: 'AADSTS700213',
    });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('The relay still uses client-secret');
    expect(refused.stderr).toContain('AADSTS700213');
    expect(settings()).toEqual([]);
    expect((await run(...CREDENTIAL, 'federated', 'credential')).status).toBe(0);
    expect(settings()).toEqual(['GRAPH_CREDENTIAL=federated']);
  });

  test(
    'continues after a run that was cut at any call of the move',
    async () => {
      const move = [...CREDENTIAL, 'certificate', 'credential'];
      const whole = await run(...move);
      const first = at(whole, 'ad app credential list --id') + 1;
      expect(whole.calls.length).toBeGreaterThan(first + 10);
      for (let cut = first; cut <= whole.calls.length; cut += 2) {
        for (const name of ['certificate', 'certificates']) sandbox.remove(name);
        sandbox.set('settings', '');
        await sandbox.runOnce('deploy.sh', move, { FAIL_AT: String(cut) });
        // Either the old one or the new one, and each of them works.
        const used = settings().filter((line) => line.startsWith('GRAPH_CREDENTIAL'));
        expect([[], ['GRAPH_CREDENTIAL=certificate']]).toContainEqual(used);
        expect(sandbox.cloud().storedSecretIsOneOfThem, `cut at ${cut}`).toBe(true);
        const again = await run(...move);
        expect(again.status, `cut at ${cut}: ${again.stderr}`).toBe(0);
        expect(settings(), `cut at ${cut}`).toEqual([
          'CLIENT_CERTIFICATE_NAME=graph-client-certificate',
          'GRAPH_CREDENTIAL=certificate',
        ]);
        expect(sandbox.cloud().borrowedRoles).toBe('');
      }
    },
    TOOLS_MS,
  );

  test('does not send with its managed identity before somebody says that Exchange allows it', async () => {
    const waiting = await run(...CREDENTIAL, 'managed-identity', 'credential');
    expect(waiting.status).toBe(0);
    expect(waiting.stdout).toContain('--exchange-allows');
    expect(waiting.stdout).toContain(`-ServicePrincipalId ${IDENTITY_PRINCIPAL} \``);
    expect(changedSettings(waiting)).toEqual([]);
    const moved = await run(...CREDENTIAL, 'managed-identity', '--exchange-allows', 'credential');
    expect(moved.status).toBe(0);
    expect(changedSettings(moved)[0]?.[0]).toContain(`"clientId":"${IDENTITY}"`);
    expect(settings()).toEqual(['GRAPH_CREDENTIAL=managed-identity']);
  });

  test('moves to its managed identity without that where the permission is for every mailbox', async () => {
    await run(...CREDENTIAL, 'managed-identity', 'consent', 'credential');
    expect(settings()).toEqual(['GRAPH_CREDENTIAL=managed-identity']);
  });

  test('previews a move and changes nothing', async () => {
    const preview = await run(...OPTIONS, '--credential', 'certificate', '--what-if');
    expect(preview.status).toBe(0);
    expect(preview.stdout).toContain(
      'would let the relay try the credential certificate beside client-secret',
    );
    expect(settings()).toEqual([]);
    expect(sandbox.lines('certificates')).toEqual([]);
  });

  test('hears of a check of the doctor that failed by status 4, after everything is done', async () => {
    const sick = await sandbox.runOnce('deploy.sh', [...GROUP, 'doctor'], { DOCTOR_STATE: 'failed' });
    expect(sick.status).toBe(4);
    expect(sick.stdout).toContain('The relay is failed.');
    expect(sick.stderr).toContain('Nothing was undone');
  });

  test('hears by status 4 too that its doctor did not respond, and not that a check failed', async () => {
    const silent = await sandbox.runOnce('deploy.sh', [...GROUP, 'doctor'], { DOCTOR_STATUS: '503' });
    expect(silent.status).toBe(4);
    expect(silent.stderr).toContain('/api/doctor responded with status 503, not 200');
    expect(silent.stderr).toContain('the doctor did not say whether all is well');
    expect(silent.stderr).not.toContain('check of the doctor failed');
  });

  test('of a version without a doctor is deployed all the same', async () => {
    const old = await sandbox.runOnce('deploy.sh', [...GROUP, 'doctor'], { DOCTOR_STATUS: '404' });
    expect(old.status).toBe(0);
    expect(old.stdout).toContain('has no doctor');
  });

  test('gets the address of a webhook from a file, and nobody else sees it', async () => {
    const file = join(sandbox.root, 'webhook.txt');
    writeFileSync(file, `https://hooks.example/${CANARY}\n`);
    const set = await run(...OPTIONS, '--warning-webhook', file);
    expect(set.status).toBe(0);
    expect(sandbox.read('settings')).toBe(`SECRET_WARNING_WEBHOOK=https://hooks.example/${CANARY}\n`);
    expect(`${set.stdout}${set.stderr}${set.calls.flat().join('\n')}`).not.toContain(CANARY);
    expect(sandbox.lines('leaks')).toEqual([]);
    expect(sandbox.filesLeft().filter((path) => !path.endsWith('graph-mail-relay.zip'))).toEqual([]);
    const preview = await run(...OPTIONS, '--warning-webhook', file, '--what-if');
    expect(preview.stdout).toContain('would set the address of the webhook');
    writeFileSync(file, '');
    await run(...OPTIONS, '--warning-webhook', file);
    expect(sandbox.read('settings')).toBe('');
  });

  test('has nothing to renew with an identity, and says so before anything changes', async () => {
    sandbox.set('settings', 'GRAPH_CREDENTIAL=federated\n');
    const refused = await run(...OPTIONS, '--renew-secret');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('the relay uses the credential federated, which has nothing to renew');
    expect(at(refused, 'create')).toBe(-1);
  });

  test('gets the events of its vault beside the options of the file', async () => {
    const file = join(sandbox.root, 'more.json');
    writeFileSync(file, JSON.stringify({ parameters: { options: { value: { logRetentionDays: 60 } } } }));
    const made = await run(...OPTIONS, '--parameters', file, '--vault-events');
    expect(made.status).toBe(0);
    const options = sandbox.lines('deployment-graph-mail-relay').find((line) => line.startsWith('options='));
    expect(JSON.parse(options?.slice('options='.length) ?? '')).toEqual({
      logRetentionDays: 60,
      vaultEvents: true,
    });
    expect(sandbox.lines('providers')).toContain('Microsoft.EventGrid');
    // They stay without being asked for again.
    expect((await run(...OPTIONS, '--parameters', file)).status).toBe(0);
  });
});

describe('renewing a certificate', () => {
  const certificate = (days: number, thumbprint: string) => {
    const until = new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z/, '+00:00');
    sandbox.set('certificate', `${until}\t${thumbprint}\n`);
    return until;
  };
  const registered = (days: number, thumbprint: string) => {
    const until = certificate(days, thumbprint);
    sandbox.set('certificates', `key-old\tgraph-mail-relay kv-relay ${thumbprint.slice(0, 16)}\t${until}\n`);
  };
  const OLD = '0000000000000000000000000000000000000001';
  const NEW = 'FFFFFFFFFFFFFFFF000000000000000000000002';
  const store = (...more: string[]) =>
    sandbox.runOnce('scripts/store-certificate.sh', [
      '--vault-id',
      '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-relay/providers/Microsoft.KeyVault/vaults/kv-relay',
      '--client-id',
      CLIENT,
      ...more,
    ]);

  test('is nothing to do while the registered one is valid for long, and needs no right on the vault', async () => {
    registered(300, OLD);
    const { status, calls } = await store();
    expect(status).toBe(0);
    expect(
      calls.map((call) => call.join(' ')).filter((call) => /^az (keyvault|.* create --)/.test(call)),
    ).toEqual([]);
  });

  test('registers the version that the vault has made since, and names the old one for removal', async () => {
    registered(60, OLD);
    certificate(365, NEW);
    const { status, stderr, stdout } = await store();
    expect(status).toBe(0);
    expect(stdout).toContain('the app registration has the new certificate');
    expect(sandbox.lines('certificates').map((line) => line.split('\t')[1])).toEqual([
      'graph-mail-relay kv-relay 0000000000000000',
      'graph-mail-relay kv-relay FFFFFFFFFFFFFFFF',
    ]);
    expect(stderr).toContain(`az ad app credential delete --id ${CLIENT} --key-id key-old --cert`);
    expect(sandbox.cloud().borrowedRoles).toBe('');
  });

  test('makes a new one where it has expired, or on --renew', async () => {
    registered(-1, OLD);
    expect((await store()).status).toBe(0);
    expect(sandbox.lines('certificates')).toHaveLength(2);
    expect((await store('--renew')).status).toBe(0);
    expect(sandbox.lines('certificates')).toHaveLength(3);
  });

  test.each([
    [['--months', '3'], "'--months' is not an option"],
    [['--certificate-name', 'a b'], "not 'a b'"],
  ])('refuses %j', async (args, said) => {
    const { status, stderr } = await store(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
  });
});

describe('the command line', () => {
  test.each([
    [
      ['--credential', 'password'],
      "--credential expects client-secret, certificate, managed-identity or federated, not 'password'",
    ],
    [['--exchange-allows'], '--exchange-allows belongs to --credential managed-identity'],
    [['--rotate-secret', '7'], "--rotate-secret expects a whole number from 14 to 365, or off, not '7'"],
    [['--rotate-secret', '90', '--credential', 'federated'], '--credential federated has none'],
    [['rotation'], 'the step rotation expects --rotate-secret'],
    [['--set', 'GRAPH_CREDENTIAL=federated'], 'use --credential'],
    [['--set', 'SECRET_ROTATION_DAYS=90'], 'use --rotate-secret'],
    [['--set', 'SECRET_WARNING_WEBHOOK=https://x.example'], 'use --warning-webhook FILE'],
    [['--set', 'GRAPH_CONNECTION_FABRIKAM={}'], 'docs/connections.md'],
    [['--set', 'HTTPS_PROXY=http://me:pass@proxy.example'], '--set HTTPS_PROXY: the address has a password'],
    [['--set', 'https_proxy=http://me:pass@proxy.example'], "not 'https_proxy'"],
    [['--set', 'ALL_PROXY=proxy.example'], '--set ALL_PROXY: expected the address of a proxy'],
    [['--set', 'NODE_USE_ENV_PROXY=yes'], '--set NODE_USE_ENV_PROXY: expected 0 or 1'],
    [['--warning-webhook', 'missing.txt'], "file 'missing.txt' does not exist"],
    [['--warning-webhook', 'missing.txt', 'code'], 'belongs to the step infrastructure'],
    [['--renew-secret', 'code'], 'belongs to the step credential'],
    [['--renew-secret', '--credential', 'managed-identity'], 'managed-identity has nothing to renew'],
    [['--renew-secret', '--credential', 'federated'], 'federated has nothing to renew'],
  ])('%j is wrong usage, said before az is called', async (args, said) => {
    const refused = await run(...OPTIONS, ...args);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain(said);
    expect(refused.stderr).not.toContain('me:pass');
    expect(refused.calls.filter(([tool]) => tool === 'az')).toEqual([]);
  });

  test.each([
    ['not an address', CANARY],
    ['an address without TLS', `http://hooks.example/${CANARY}`],
    ['two addresses', `https://hooks.example/${CANARY}\nhttps://hooks.example/two\n`],
    ['what ends a JSON string', `https://hooks.example/"${CANARY}`],
  ])('a file of --warning-webhook with %s is wrong usage, said before az is called', async (_what, text) => {
    const file = join(sandbox.root, 'webhook.txt');
    writeFileSync(file, text);
    for (const given of [[file], [file, '--what-if']]) {
      const refused = await run(...OPTIONS, '--warning-webhook', ...given);
      expect(refused).toMatchObject({ status: 2, calls: [] });
      expect(refused.stderr).toContain('--warning-webhook expects a file with one address');
      expect(`${refused.stderr}${refused.stdout}`).not.toContain(CANARY);
    }
    const piped = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--warning-webhook', '-'], {}, text);
    expect(piped).toMatchObject({ status: 2, calls: [] });
  });
});
