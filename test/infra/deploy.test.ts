import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
];
const EVERYTHING = [...OPTIONS, '--alert-to', 'it@contoso.com', '--consent', '--test-to', 'me@contoso.com'];
/** As few as a test mail needs. */
const STEPS = ['registration', 'infrastructure', 'test-mail'];
/** What changes something; none of these may stand in a run that only looks. */
const CHANGES =
  /^az (?:.* )?(?:create|set|reset|delete|update|register|config-zip|purge) |^az rest --method (?!get)|^curl (?!.*\/api\/doctor).*--config/;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const readable = (run: Run): string =>
  `${run.calls
    .map((call) => call.join(' '))
    .join('\n')
    .replaceAll(sandbox.root, '<root>')
    .replaceAll(/<root>\/tmp\/graph-mail-relay\.\w+/g, '<scratch>')
    .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g, '<time>')}\n`;

const changes = (run: Run): string[] =>
  run.calls.map((call) => call.join(' ')).filter((call) => CHANGES.test(call));

describe('a first run', () => {
  test('makes every call, with these arguments, in this order', async () => {
    sandbox.set('lag', '1');
    sandbox.set('zip-lag', '1');
    const run = await sandbox.runOnce('deploy.sh', EVERYTHING);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    await expect(readable(run)).toMatchFileSnapshot('az-stand-in/first-run.txt');
  });

  test('leaves a relay that can send, and no right behind', async () => {
    await sandbox.runOnce('deploy.sh', EVERYTHING);
    expect(sandbox.cloud()).toMatchObject({
      grants: 'b633e1c5-b582-4048-a93e-9f11b44c7e96\n',
      secretsAtEntra: 1,
      storedSecretIsOneOfThem: true,
      borrowedRoles: '',
      code: 'a package',
      injectedSettings: '',
    });
    expect(sandbox.lines('mails')).toHaveLength(1);
  });

  test('grants nothing tenant-wide unless asked, and says what the Exchange administrator runs instead', async () => {
    const run = await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(run.status).toBe(0);
    expect(sandbox.cloud().grants).toBe('');
    expect(run.stdout).toContain(
      [
        '    Connect-ExchangeOnline',
        '    Connect-MgGraph -Scopes Application.Read.All',
        '    ./limit-mailboxes.ps1 -TenantId 99999999-9999-9999-9999-999999999999 `',
        '      -ClientId 22222222-2222-2222-2222-222222222222 `',
        '      -ServicePrincipalId 33333333-3333-3333-3333-333333333333 `',
        "      -Name 'graph-mail-relay' `",
        "      -Mailbox 'noreply@contoso.com' -OutsideMailbox <any other mailbox>",
      ].join('\n'),
    );
  });

  test('hands settings and alert addresses over as JSON, whatever characters they hold', async () => {
    const tricky = 'Contoso "Post" \\ 薪資 <noreply@contoso.com>';
    await sandbox.runOnce(
      'deploy.sh',
      [
        ...OPTIONS,
        '--alert-to',
        'a@contoso.com',
        '--alert-to',
        'b@contoso.com',
        '--set',
        `MAIL_ALLOWED_SENDERS=${tricky}`,
      ],
      // As where Node.js cannot check the value.
      { REAL_NODE: '/bin/true' },
    );
    const parameters = sandbox.lines('deployment-graph-mail-relay');
    const value = (name: string) =>
      JSON.parse(parameters.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '');
    // As they were given: what follows from them is decided in one place, the template.
    expect(value('settings')).toEqual({ MAIL_ALLOWED_SENDERS: tricky });
    expect(value('alertRecipients')).toEqual(['a@contoso.com', 'b@contoso.com']);
  });

  test('hands the addresses of a proxy and of webhooks over where no record of the deployment shows them', async () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/https-proxy)';
    const webhooks = '[{"name":"crm","url":"https://crm.example/hook?sig=a%2Fb"}]';
    const given = [
      ...['NO_PROXY=.vault.azure.net', `HTTPS_PROXY=${reference}`, 'HTTP_PROXY='],
      `MAIL_WEBHOOKS=${webhooks}`,
    ];
    const ran = await sandbox.runOnce('deploy.sh', [...OPTIONS, ...given.flatMap((one) => ['--set', one])]);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const parameters = sandbox.lines('deployment-graph-mail-relay');
    expect(parameters).toContain('settings={"NO_PROXY":".vault.azure.net"}');
    const secrets = { HTTPS_PROXY: reference, HTTP_PROXY: '', MAIL_WEBHOOKS: webhooks };
    expect(parameters).toContain(`secretSettings=${JSON.stringify(secrets)}`);
  });

  test('uses a registration that somebody else made', async () => {
    const run = await sandbox.runOnce('deploy.sh', [
      ...OPTIONS,
      '--client-id',
      '22222222-2222-2222-2222-222222222222',
    ]);
    expect(run.status).toBe(0);
    expect(sandbox.cloud().deployments).not.toHaveProperty('deployment-graph-mail-relay-registration');
  });
});

describe('a second run', () => {
  test('makes the same calls but those for what is there, and changes nothing', async () => {
    await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent']);
    const before = sandbox.cloud();
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent']);
    expect(run.status).toBe(0);
    expect(sandbox.cloud()).toEqual(before);
    // The one that Azure itself compares with what is there.
    expect(changes(run)).toEqual([
      expect.stringMatching(/^az deployment group create .*--name graph-mail-relay /),
    ]);
    await expect(readable(run)).toMatchFileSnapshot('az-stand-in/second-run.txt');
  });

  test('deploys a package that has changed', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    sandbox.set('code', 'an older package');
    const tags = sandbox.lines('tags').filter((tag) => !tag.startsWith('graphMailRelayPackage='));
    sandbox.set('tags', `${tags.join('\n')}\ngraphMailRelayPackage=of-the-older\n`);
    await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(sandbox.cloud().code).toBe('a package');
  });

  test('registers again when the application was deleted since', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    sandbox.set('app-deleted', 'app-object-1');
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, 'registration']);
    expect(changes(run)).toEqual([expect.stringContaining('--name graph-mail-relay-registration')]);
  });

  test('does one step alone when told to', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    const run = await sandbox.runOnce('deploy.sh', [
      '-g',
      'rg-relay',
      '--test-to',
      'me@contoso.com',
      'test-mail',
    ]);
    expect(run.status).toBe(0);
    expect(changes(run)).toEqual([expect.stringMatching(/^curl /)]);
  });
});

describe('--what-if', () => {
  test('changes nothing in an empty subscription and says what would be made', async () => {
    const before = sandbox.cloud();
    const run = await sandbox.runOnce('deploy.sh', [...EVERYTHING, '--what-if']);
    expect(run.status).toBe(0);
    expect(changes(run)).toEqual([]);
    expect(sandbox.cloud()).toEqual(before);
    expect(run.stdout).toContain('would create the resource group rg-relay in westeurope');
    expect(run.stdout).toContain("would register the application 'graph-mail-relay'");
    expect(run.stdout).toContain('nothing was changed');
  });

  test('shows what Azure says would change where a deployment is', async () => {
    await sandbox.runOnce('deploy.sh', EVERYTHING);
    const before = sandbox.cloud();
    const run = await sandbox.runOnce('deploy.sh', [...EVERYTHING, '--what-if']);
    expect(run.status).toBe(0);
    expect(changes(run)).toEqual([]);
    expect(sandbox.cloud()).toEqual(before);
    expect(run.stdout).toContain('Resource changes: 14 to create.');
  });
});

describe('where a right is missing', () => {
  test.each([
    ['group create', 'resource-group', 'an Owner of the subscription creates the resource group'],
    ['graph-mail-relay-registration', 'registration', 'Application Developer'],
    ['graph-mail-relay-consent', 'consent', 'Privileged Role Administrator'],
    ['/main.bicep', 'infrastructure', 'Role Based Access Control'],
    ['role assignment create', 'credential', 'Key Vault Secrets Officer, which an Owner'],
    ['ad app credential reset', 'credential', 'Owner of the app registration'],
    ['config-zip', 'code', 'Website Contributor'],
    ['functionapp function list', 'smoke-test', 'Website Contributor'],
    ['masterKey', 'doctor', 'Website Contributor'],
    ['functionKeys.default', 'test-mail', 'Website Contributor'],
  ])('to %s, it stops at %s and says who has to do what, then continues', async (right, step, who) => {
    const refused = await sandbox.runOnce('deploy.sh', EVERYTHING, { LACKS: right });
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain(`stopped at step ${step}: you are not allowed to `);
    expect(refused.stderr).toContain(who);
    expect(refused.stderr).toContain('run the same command again: it continues here.');

    const granted = await sandbox.runOnce('deploy.sh', EVERYTHING);
    expect(granted.status).toBe(0);
    expect(sandbox.cloud()).toMatchObject({
      secretsAtEntra: 1,
      storedSecretIsOneOfThem: true,
      borrowedRoles: '',
    });
  });
});

describe('Website Contributor', () => {
  test('completes the step code, and hears which role would record the package', async () => {
    const run = await sandbox.runOnce('deploy.sh', EVERYTHING, { LACKS: 'tag update' });
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('the next run deploys it again');
    expect(run.stderr).toContain('Tag Contributor');
    expect(sandbox.cloud().code).toBe('a package');
    const again = await sandbox.runOnce('deploy.sh', [...OPTIONS, 'code']);
    expect(changes(again).join()).toContain('config-zip');
  });

  test('deploys the package where the record cannot be read', async () => {
    await sandbox.runOnce('deploy.sh', EVERYTHING);
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, 'code'], {
      LACKS: 'graphMailRelayPackage" ||',
    });
    expect(run.status).toBe(0);
    expect(changes(run).join()).toContain('config-zip');
  });
});

describe('the package', () => {
  const npm = (run: Run) => run.calls.filter(([tool]) => tool === 'npm').map(([, command]) => command);

  test('is built with the dependencies of the lockfile, also after an upgrade of the sources', async () => {
    writeFileSync(join(sandbox.root, 'node_modules/.package-lock.json'), '{}');
    utimesSync(join(sandbox.root, 'node_modules/.package-lock.json'), 1, 1);
    expect(npm(await sandbox.run('deploy.sh', OPTIONS))).toEqual(['run']);
    writeFileSync(join(sandbox.root, 'package-lock.json'), '{}');
    expect(npm(await sandbox.run('deploy.sh', [...OPTIONS, 'code']))).toEqual(['ci', 'run']);
  });
});

describe('what cannot be deployed', () => {
  test('without a sign-in it says how to sign in', async () => {
    sandbox.set('signed-out', '');
    const run = await sandbox.runOnce('deploy.sh', EVERYTHING);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('az login --tenant');
  });

  test('with an az older than the plan it says which is needed', async () => {
    const run = await sandbox.runOnce('deploy.sh', EVERYTHING, { AZ_VERSION: '2.9.1' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('az 2.9.1 is too old');
    expect(run.stderr).toContain('2.61 or newer');
  });

  test('a vault of the same name, deleted and kept, is named with both ways out', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    sandbox.set('deleted-vaults', 'kv-relay\tthere\tmail-relay\n');
    const run = await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('az keyvault recover');
    expect(run.stderr).toContain('az keyvault purge');
  });

  test('the functions of queues of callers, which the package does not know, are no fault', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    sandbox.set('functions', 'deliverMail\ndeliverMail_payroll\nholdMail\nholdMail_payroll\n');
    const run = await sandbox.runOnce('deploy.sh', ['-g', 'rg-relay', 'smoke-test'], {
      PRETEND_FUNCTIONS: 'deliverMail\nholdMail\n',
    });
    expect([run.status, run.stderr]).toEqual([0, '']);
  });

  test('functions other than those of the package fail the smoke test, both lists shown', async () => {
    await sandbox.runOnce('deploy.sh', OPTIONS);
    sandbox.set('functions', 'health\nsendMail\nstray\n');
    const run = await sandbox.runOnce('deploy.sh', ['-g', 'rg-relay', 'smoke-test'], {
      PRETEND_FUNCTIONS: 'health\nsendMail\n',
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('expected: health sendMail');
    expect(run.stderr).toContain('received: health sendMail stray');
  });

  test.each([
    ['200', '{"id":"1","state":"sent"}', 0, 'From is noreply@contoso.com'],
    ['202', '{"id":"1","state":"queued"}', 0, 'The relay has stored the email'],
    ['202', '{"id":"1","state":"unknown"}', 1, 'the outcome of the test email is unknown'],
    ['202', '{"id":"1","state":"held"}', 1, 'the outcome of the test email is unknown'],
    ['401', '', 1, 'does not accept its function key'],
    ['502', '{"code":"MAILBOX_OUT_OF_SCOPE"}', 1, 'limit-mailboxes.ps1'],
    ['422', '{"code":"MAILBOX_NOT_FOUND"}', 1, 'no mailbox in Exchange Online'],
    ['403', '{"code":"SENDER_NOT_ALLOWED"}', 1, 'the relay rejected the test email'],
  ])('an answer %s %s to the test mail is explained', async (status, body, exit, explanation) => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--test-to', 'me@contoso.com', ...STEPS], {
      ANSWER_STATUS: status,
      ANSWER_BODY: body,
    });
    expect(run.status).toBe(exit);
    expect(run.stdout + run.stderr).toContain(explanation);
    expect(run.stdout).toContain(`the relay returned ${status}: ${body}`);
  });
});

describe('the command line', () => {
  test('--help says everything and calls nothing', async () => {
    const run = await sandbox.runOnce('deploy.sh', ['--help']);
    expect(run.status).toBe(0);
    expect(run.calls).toEqual([]);
    expect(run.stdout).toMatch(/^Usage: infra\/deploy\.sh/);
  });

  test.each([
    [[], '--resource-group is missing'],
    [['-g', 'rg-relay'], '--sender is missing'],
    [['-g', 'rg relay', '--sender', 'a@b.c'], "not 'rg relay'"],
    [['-g'], '-g expects a value'],
    [['-g', 'rg-relay.'], "not 'rg-relay.'"],
    [['-g', 'rg/relay'], "not 'rg/relay'"],
    [['--sender', '--alert-to', 'it@contoso.com'], "--sender expects a value, not the option '--alert-to'"],
    [[...OPTIONS, '--sender', 'nobody'], "not 'nobody'"],
    [[...OPTIONS, '--sender', 'a@b.c, d@e.f'], 'one address'],
    [[...OPTIONS, '--sender', 'a@b.c\nd@e.f'], 'control character'],
    [[...OPTIONS, '--test-to', 'x'], "'x' is not an address"],
    [[...OPTIONS, '--set', 'lower=1'], 'NAME=VALUE'],
    [[...OPTIONS, '--set', 'MAIL_FOO=1'], '--set MAIL_FOO: no such setting'],
    [[...OPTIONS, '--set', 'KEY_VAULT_URL=https://x'], '--set KEY_VAULT_URL: no such setting'],
    [[...OPTIONS, '--name', 'mail-'], 'no dash last'],
    [[...OPTIONS, '--name', 'registration'], "cannot be 'registration'"],
    [[...OPTIONS, '--client-id', '123'], 'a GUID'],
    [[...OPTIONS, '--name', 'X'], '2 to 20 lowercase letters'],
    [[...OPTIONS, '--also-grant', 'Mail.Everything'], 'Mail.Read or Mail.ReadWrite'],
    [[...OPTIONS, '--secret-days', '731'], 'from 1 to 730'],
    [[...OPTIONS, '--package', 'none.zip'], "file 'none.zip' does not exist"],
    [[...OPTIONS, '--parameters', 'none.json'], "file 'none.json' does not exist"],
    [[...OPTIONS, '--loud'], "'--loud' is not an option"],
    [[...OPTIONS, 'everything'], "'everything' is not a step"],
  ])('%j is wrong usage: %s', async (args, said) => {
    const run = await sandbox.runOnce('deploy.sh', args);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(said);
    expect(run.calls).toEqual([]);
  });

  test('a setting that the relay would not accept is refused before az is called, without its value', async () => {
    const run = await sandbox.runOnce('deploy.sh', [
      ...OPTIONS,
      '--set',
      'MAIL_EVENTS=x',
      '--set',
      'MAIL_ENABLED=',
    ]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--set MAIL_EVENTS: expected off, queue or cloudevents.');
    expect(run.stderr).not.toContain('MAIL_ENABLED');
    expect(run.calls.filter(([tool]) => tool === 'az')).toEqual([]);
  });

  test('a resource group can have a name in any script', async () => {
    const run = await sandbox.runOnce('deploy.sh', ['-g', 'rg-郵件', '--sender', 'noreply@contoso.com']);
    expect(run.stderr).toContain('the resource group rg-郵件 does not exist');
  });

  test('the resource group needs a region when it has to be made', async () => {
    const run = await sandbox.runOnce('deploy.sh', ['-g', 'rg-relay', '--sender', 'noreply@contoso.com']);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('--location westeurope');
  });
});
