import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const HERE = import.meta.dirname;
const SCRIPT = join(HERE, '../../../infra/scripts/limit-mailboxes.ps1');

/** Modules that come with PowerShell itself; those of the machine stay out of the way. */
const ownModules = (): string =>
  spawnSync('pwsh', ['-NoProfile', '-NonInteractive', '-Command', "Join-Path $PSHOME 'Modules'"], {
    encoding: 'utf8',
  }).stdout.trim();

export const hasPwsh = spawnSync('pwsh', ['-NoProfile', '-Command', 'exit 0']).status === 0;

export const TENANT = '99999999-9999-9999-9999-999999999999';
export const CLIENT = '22222222-2222-2222-2222-222222222222';
export const PRINCIPAL = '33333333-3333-3333-3333-333333333333';

type Row = Readonly<Record<string, unknown>>;

/** What the stand-ins for Exchange Online and Graph hold, as the commands of the real ones name it. */
export type Tenant = {
  dehydrated: boolean;
  /** Calls for which a group just made is not known yet. */
  lag: number;
  /** Commands that no role of the administrator allows. */
  hidden: string[];
  /** Commands that fail, with what they report. */
  fail: Record<string, string>;
  connections: Row[];
  graph: { TenantId: string; Scopes: string[] } | null;
  mailboxes: { PrimarySmtpAddress: string; EmailAddresses: string[] }[];
  groups: {
    Name: string;
    Guid: string;
    RecipientTypeDetails: string;
    DistinguishedName: string;
    HiddenFromAddressListsEnabled: boolean;
    Members: string[];
    WhenChangedUTC: string;
  }[];
  scopes: { Name: string; RecipientFilter: string; WhenChangedUTC: string }[];
  servicePrincipals: { AppId: string; ObjectId: string; DisplayName: string }[];
  assignments: {
    Name: string;
    Role: string;
    RoleAssignee: string;
    RoleAssigneeName: string;
    App: string | null;
    RoleAssigneeType: 'ServicePrincipal';
    CustomResourceScope: string | null;
    Enabled: boolean;
    WhenChangedUTC: string;
  }[];
  enterpriseApps: { id: string; appId: string }[];
  grants: { id: string; principalId: string; resourceId: string; appRoleId: string }[];
};

const mailbox = (name: string, ...aliases: string[]) => ({
  PrimarySmtpAddress: `${name}@contoso.com`,
  EmailAddresses: [`SMTP:${name}@contoso.com`, ...aliases.map((alias) => `smtp:${alias}@contoso.com`)],
});

export const connection = (tenant = TENANT) => ({
  State: 'Connected',
  ConnectionUri: 'https://outlook.office365.com',
  TenantID: tenant,
});

/** Nothing of a relay yet; signed in to Exchange and to Graph. */
export const emptyTenant = (): Tenant => ({
  dehydrated: false,
  lag: 0,
  hidden: [],
  fail: {},
  connections: [connection()],
  graph: { TenantId: TENANT, Scopes: ['Application.Read.All', 'AppRoleAssignment.ReadWrite.All'] },
  mailboxes: [mailbox('noreply', 'no-reply'), mailbox('payroll'), mailbox('ceo', 'boss')],
  groups: [],
  scopes: [],
  servicePrincipals: [],
  assignments: [],
  enterpriseApps: [{ id: PRINCIPAL, appId: CLIENT }],
  grants: [],
});

export type Parameters = Readonly<Record<string, string | boolean | readonly string[]>>;

/** As the Exchange administrator gives them on the first day. */
export const PARAMETERS: Parameters = {
  ClientId: CLIENT,
  ServicePrincipalId: PRINCIPAL,
  Mailbox: ['noreply@contoso.com'],
  OutsideMailbox: 'ceo@contoso.com',
};

export type Said = { readonly status: number; readonly said: string };

/** One PowerShell for many runs, each in a session of its own. */
export const openPowerShell = () => {
  const root = mkdtempSync(join(tmpdir(), 'relay-pwsh-'));
  const own = ownModules();
  const child: ChildProcessWithoutNullStreams = spawn(
    'pwsh',
    ['-NoProfile', '-NonInteractive', '-File', join(HERE, 'run.ps1')],
    { env: { ...process.env, NO_COLOR: '1' } },
  );
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  child.on('close', () => {
    for (const answer of waiting.splice(0))
      answer(JSON.stringify({ status: -1, said: '', problems: complaint }));
  });

  const put = (tenant: Tenant) => {
    writeFileSync(join(root, 'tenant.json'), JSON.stringify(tenant));
    writeFileSync(join(root, 'calls'), '');
  };
  const get = (): Tenant => JSON.parse(readFileSync(join(root, 'tenant.json'), 'utf8'));

  const run = async (
    parameters: Parameters,
    modules: { readonly path?: string; readonly imported?: readonly string[] } = {},
  ): Promise<Said> => {
    const line = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(
        `${JSON.stringify({
          script: SCRIPT,
          state: root,
          parameters,
          modulePath: [modules.path ?? HERE, own].join(delimiter),
          imported: modules.imported ?? ['ExchangeOnlineManagement', 'Microsoft.Graph.Authentication'],
        })}\n`,
      );
    });
    const { status, said, problems } = JSON.parse(line) as Said & { problems: string };
    return { status, said: said + problems };
  };

  /** In a process of its own: what -WhatIf says goes to the console alone. */
  const runAlone = (parameters: Parameters): Said => {
    const command = `Import-Module ExchangeOnlineManagement; $parameters = $env:PARAMETERS | ConvertFrom-Json -AsHashtable
& '${SCRIPT}' @parameters; exit $LASTEXITCODE`;
    const { status, stdout, stderr } = spawnSync(
      'pwsh',
      ['-NoProfile', '-NonInteractive', '-Command', command],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          NO_COLOR: '1',
          STATE: root,
          PSModulePath: HERE,
          PARAMETERS: JSON.stringify(parameters),
        },
      },
    );
    return { status: status ?? -1, said: stdout + stderr };
  };

  return {
    root,
    put,
    get,
    run,
    runAlone,
    /** The calls since the tenant was put there or last changed. */
    calls: (): string[] =>
      existsSync(join(root, 'calls'))
        ? readFileSync(join(root, 'calls'), 'utf8').split(/\r?\n/).filter(Boolean)
        : [],
    /** Another state, from the present one. */
    change: (edit: (tenant: Tenant) => void) => {
      const tenant = get();
      edit(tenant);
      put(tenant);
    },
    close: () => {
      child.stdin.end();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
