import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';
import { readInfra } from './bicep-text.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
];
const CLIENT = '22222222-2222-2222-2222-222222222222';
const MAIL_SEND = 'b633e1c5-b582-4048-a93e-9f11b44c7e96';
const MAIL_READ = '810c84a8-4a9e-49e6-bf7d-12d183f40d01';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const deployed = (run: Run): string[] =>
  run.calls
    .filter((call) => call.includes('create') && call.includes('--template-file'))
    .map((call) => call[call.indexOf('--name') + 1] ?? '');

test('the ids of permissions are those of the templates', () => {
  const ids = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name, id]) => [name, id]);
  const templates = ids(
    readInfra('modules/graph-permissions.bicep'),
    /'(Mail\.\w+|ExchangeMessageTrace\.Read\.All)': '([0-9a-f-]{36})'/g,
  );
  expect(templates).toHaveLength(4);
  expect(
    ids(
      readInfra('scripts/registration.sh'),
      /((?:Mail\.\w+|ExchangeMessageTrace\.Read\.All))\) echo ([0-9a-f-]{36})/g,
    ).toSorted(),
  ).toEqual(templates.toSorted());
});

describe('--consent', () => {
  test('grants every chosen permission, and the registration asks for them', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent', '--also-grant', 'Mail.Read']);
    expect(run.status).toBe(0);
    expect(sandbox.lines('grants')).toEqual([MAIL_SEND, MAIL_READ]);
    expect(sandbox.lines('deployment-graph-mail-relay-registration')).toContain(
      'permissions=["Mail.Send","Mail.Read"]',
    );
  });

  test('grants what was chosen later, and only that', async () => {
    await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent']);
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent', '--also-grant', 'Mail.Read']);
    expect(run.status).toBe(0);
    expect(sandbox.lines('grants')).toEqual([MAIL_SEND, MAIL_READ]);
    expect(sandbox.lines('deployment-graph-mail-relay-consent')).toContain('permissions=["Mail.Read"]');
    expect(deployed(run)).toEqual(['graph-mail-relay-consent', 'graph-mail-relay']);
  });

  test('names the chosen permission to the person who may grant it', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--consent', '--also-grant', 'Mail.Read'], {
      LACKS: 'graph-mail-relay-consent',
    });
    expect(run.status).toBe(3);
    expect(run.stderr).toContain('--consent --also-grant Mail.Read consent');
  });
});

describe('--also-grant ExchangeMessageTrace.Read.All', () => {
  const TRACE = '89b20d8a-76e2-4057-867b-9961f800b9a4';
  const GRANT_TRACE = ['--also-grant', 'ExchangeMessageTrace.Read.All'];
  const created = (run: Run) => run.calls.filter((call) => call.join(' ').includes('ad sp create'));

  test('grants it for the organization without granting anything about email, and creates the service principal once', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, ...GRANT_TRACE]);
    expect(run.status).toBe(0);
    expect(sandbox.lines('grants')).toEqual([TRACE]);
    expect(created(run)).toHaveLength(1);
    expect(run.stdout).toContain('--set MAIL_TRACE=true');
    expect(run.stdout).toContain('limit-mailboxes.ps1');
    const again = await sandbox.runOnce('deploy.sh', ['-g', 'rg-relay', ...GRANT_TRACE, 'consent']);
    expect(again.status).toBe(0);
    expect([sandbox.lines('grants'), created(again)]).toEqual([[TRACE], []]);
  });

  test('beside --consent and another permission grants all of them', async () => {
    const run = await sandbox.runOnce('deploy.sh', [
      ...OPTIONS,
      '--consent',
      '--also-grant',
      'Mail.Read',
      ...GRANT_TRACE,
    ]);
    expect(run.status).toBe(0);
    expect(sandbox.lines('grants')).toEqual([MAIL_SEND, MAIL_READ, TRACE]);
  });

  test('is not granted by --what-if', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, ...GRANT_TRACE, '--what-if']);
    expect(run.stdout).toContain('would grant ExchangeMessageTrace.Read.All');
    expect(created(run)).toEqual([]);
  });

  test('names the command for whoever may grant it, which grants nothing about email either', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, ...GRANT_TRACE], {
      LACKS: 'graph-mail-relay-consent',
    });
    expect(run.status).toBe(3);
    expect(run.stderr).toContain('--also-grant ExchangeMessageTrace.Read.All consent');
    expect(run.stderr).not.toContain('--consent --also-grant');
  });
});

describe('the command for the Exchange administrator', () => {
  test('has the chosen permission', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--also-grant', 'Mail.Read']);
    expect(run.stdout).toContain("-Name 'graph-mail-relay' -AlsoGrant Mail.Read `");
  });

  test('has the name of the registration, also in a later run that does not give it', async () => {
    await sandbox.runOnce('deploy.sh', [...OPTIONS, '--registration', 'relay-test']);
    const run = await sandbox.runOnce('deploy.sh', ['-g', 'rg-relay', 'smoke-test']);
    expect(run.stdout).toContain("-Name 'relay-test' `");
    expect(run.stdout).toContain('-Mailbox <sender> ');
  });

  test.each([
    ['Mail of Contoso', 'Mail of Contoso'],
    ["Payroll's \u90f5\u4ef6", 'graph-mail-relay-22222222'],
    ['x'.repeat(46), 'graph-mail-relay-22222222'],
  ])('has a name that Exchange takes for the registration %s that someone made', async (display, name) => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--client-id', CLIENT], {
      DISPLAY_NAME: display,
    });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain(`-Name '${name}' \``);
  });

  test('quotes an address as PowerShell does', async () => {
    const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--sender', "Mail <o'brien@contoso.com>"]);
    expect(run.stdout).toContain("-Mailbox 'o''brien@contoso.com' -OutsideMailbox");
  });
});

test('another registration than the resource group has is not passed over in silence', async () => {
  await sandbox.runOnce('deploy.sh', OPTIONS);
  const run = await sandbox.runOnce('deploy.sh', [...OPTIONS, '--registration', 'relay-test']);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain("uses the app registration 'graph-mail-relay', not 'relay-test'");
});

test('a registration that was deleted is made again under the name it had', async () => {
  await sandbox.runOnce('deploy.sh', [...OPTIONS, '--registration', 'relay-test']);
  sandbox.set('app-deleted', 'app-object-1');
  await sandbox.runOnce('deploy.sh', [...OPTIONS, 'registration']);
  expect(sandbox.lines('deployment-graph-mail-relay-registration')).toContain('uniqueName=relay-test');
});
