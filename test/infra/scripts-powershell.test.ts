import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import {
  CLIENT,
  connection,
  emptyTenant,
  hasPwsh,
  openPowerShell,
  PARAMETERS,
  type Parameters,
  PRINCIPAL,
  TENANT,
  type Tenant,
} from './exchange-stand-in/powershell.ts';

const SCRIPT = join(import.meta.dirname, '../../infra/scripts/limit-mailboxes.ps1');
const OTHER_TENANT = '88888888-8888-8888-8888-888888888888';
const OTHER_CLIENT = '55555555-5555-5555-5555-555555555555';
const OTHER_PRINCIPAL = '66666666-6666-6666-6666-666666666666';
const MAIL_SEND = 'b633e1c5-b582-4048-a93e-9f11b44c7e96';
/** What changes the tenant; Get- and Test- do not. */
const CHANGES = /^(?:New|Set|Add|Remove)-|^Invoke-MgGraphRequest (?!GET)/;
const CHECKED = 'Checked: the application has Mail.Send for 1 mailbox(es), and not for ceo@contoso.com';

const grant = (id = 'grant-1') => ({
  id,
  principalId: PRINCIPAL,
  resourceId: 'resource-graph',
  appRoleId: MAIL_SEND,
});

test('where PowerShell is required, it is there', () => {
  if (process.env.REQUIRE_INFRA_TOOLS === '1')
    expect(hasPwsh, 'pwsh is not on the PATH, and REQUIRE_INFRA_TOOLS is 1').toBe(true);
});

describe.skipIf(!hasPwsh)(
  `limit-mailboxes.ps1 in PowerShell${hasPwsh ? '' : ' (skipped: pwsh is not installed)'}`,
  { timeout: TOOLS_MS },
  () => {
    let shell: ReturnType<typeof openPowerShell>;
    beforeAll(() => {
      shell = openPowerShell();
    });
    afterAll(() => shell.close());
    beforeEach(() => shell.put(emptyTenant()));

    const changes = () => shell.calls().filter((call) => CHANGES.test(call));
    const run = (more: Parameters = {}) => shell.run({ ...PARAMETERS, ...more });
    /** What a first run made of a tenant: the same of the same tenant and parameters, so that each is run once. */
    const made = new Map<string, Tenant>();
    /** A relay that was set up `hours` ago. */
    const setUp = async (hours = 0, more: Parameters = {}) => {
      const begun = JSON.stringify([shell.get(), more]);
      if (!made.has(begun)) {
        const first = await run(more);
        expect(first.said).toContain('Checked: ');
        made.set(begun, shell.get());
      }
      shell.put(made.get(begun)!);
      const then = new Date(Date.now() - hours * 3_600_000).toISOString();
      shell.change(({ groups, scopes, assignments }) => {
        for (const row of [...groups, ...scopes, ...assignments]) row.WhenChangedUTC = then;
      });
    };
    /** It stops, says why, and the tenant is as it was. */
    const expectStop = async (parameters: Parameters, ...said: string[]) => {
      const before = shell.get();
      const result = await run(parameters);
      expect(result.said).toContain('limit-mailboxes.ps1 stopped: ');
      for (const text of said) expect(result.said).toContain(text);
      expect(result.status).toBe(1);
      expect(changes()).toEqual([]);
      expect(shell.get()).toEqual(before);
    };

    describe('a first run', () => {
      test('makes group, scope and role, tests both ways, and says what was checked', async () => {
        const { status, said } = await run();
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(changes().map((call) => call.split(' ')[0])).toEqual([
          'New-DistributionGroup',
          'Set-DistributionGroup',
          'Add-DistributionGroupMember',
          'New-ServicePrincipal',
          'New-ManagementScope',
          'New-ManagementRoleAssignment',
        ]);
        expect(shell.get()).toMatchObject({
          groups: [{ Name: 'Graph Mail Relay', Members: ['noreply@contoso.com'] }],
          assignments: [
            {
              Name: 'Graph Mail Relay Mail.Send',
              RoleAssignee: PRINCIPAL,
              CustomResourceScope: 'Graph Mail Relay',
            },
          ],
        });
      });

      test('-WhatIf shows every change and makes none', async () => {
        const before = shell.get();
        const { status, said } = await shell.runAlone({
          ...PARAMETERS,
          WhatIf: true,
          AlsoGrant: ['Mail.Read'],
        });
        expect(status).toBe(0);
        for (const what of [
          'Create a mail-enabled security group',
          'Add to the group',
          'Register the application',
          'Create a management scope',
          "Assign the role 'Application Mail.Send'",
          "Assign the role 'Application Mail.Read'",
        ])
          expect(said).toContain(`What if: Performing the operation "${what}`);
        expect(said).toContain('Nothing was changed.');
        expect(changes()).toEqual([]);
        expect(shell.get()).toEqual(before);
      });

      test('waits where Exchange does not know yet what was just created', async () => {
        shell.change((tenant) => {
          tenant.lag = 3;
        });
        const { status, said } = await run();
        expect(said).toContain('waiting until Exchange knows what was created ...');
        expect(status).toBe(0);
      });

      test('-AlsoGrant gives a further role within the same scope, and tests that too', async () => {
        const { status, said } = await run({ AlsoGrant: ['Mail.Read'] });
        expect(status).toBe(0);
        expect(said).toContain('the application has Mail.Send, Mail.Read for 1 mailbox(es)');
        expect(shell.get().assignments.map(({ Role }) => Role)).toEqual([
          'Application Mail.Send',
          'Application Mail.Read',
        ]);
      });
    });

    describe('a further run', () => {
      test('changes nothing', async () => {
        await setUp();
        const before = shell.get();
        const { status, said } = await run();
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(changes()).toEqual([]);
        expect(shell.get()).toEqual(before);
      });

      test('knows its own role where Exchange calls the application by another of its ids', async () => {
        await setUp();
        shell.change(({ servicePrincipals, assignments }) => {
          for (const principal of servicePrincipals) Object.assign(principal, { Guid: 'pointer-1' });
          for (const assignment of assignments)
            Object.assign(assignment, { App: 'pointer-1', RoleAssignee: 'pointer-1' });
        });
        const { said } = await run();
        expect(said).not.toContain('stopped');
        expect(changes()).toEqual([]);
      });

      test('with an alias finds the same mailbox', async () => {
        await setUp();
        const { status, said } = await run({ Mailbox: ['no-reply@contoso.com', 'noreply@contoso.com'] });
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(changes()).toEqual([]);
      });

      test('adds a mailbox, and only that', async () => {
        await setUp();
        const { status } = await run({ Mailbox: ['noreply@contoso.com', 'payroll@contoso.com'] });
        expect(status).toBe(0);
        expect(changes()).toEqual([expect.stringMatching(/^Add-DistributionGroupMember .*payroll@/)]);
      });

      test('fails while the group has a mailbox that was not named, and removes it with -RemoveOthers', async () => {
        await setUp(3, { Mailbox: ['noreply@contoso.com', 'payroll@contoso.com'] });
        const left = await run();
        expect(left.status).toBe(1);
        expect(left.said).toContain("payroll@contoso.com is also in the group 'Graph Mail Relay'");
        expect(left.said).not.toContain('Checked:');
        const removed = await run({ RemoveOthers: true });
        expect(removed.status).toBe(0);
        expect(shell.get().groups[0]?.Members).toEqual(['noreply@contoso.com']);
      });

      test('without -AlsoGrant says that the role is still there, and how to remove it or keep it', async () => {
        await setUp(0, { AlsoGrant: ['Mail.Read'] });
        const { status, said } = await run();
        expect(status).toBe(1);
        expect(said).toContain(
          "The application also has the role 'Application Mail.Read' for these mailboxes.",
        );
        expect(said).toContain("Remove-ManagementRoleAssignment 'Graph Mail Relay Mail.Read'");
        expect(said).toContain('run this again with -AlsoGrant Mail.Read');
        expect(said).not.toContain('Checked:');
        expect(changes()).toEqual([]);
      });

      test('-WhatIf shows the tenant-wide grant that it would remove', async () => {
        await setUp(3);
        shell.change(({ grants }) => {
          grants.push(grant());
        });
        const { status, said } = await shell.runAlone({
          ...PARAMETERS,
          WhatIf: true,
          RemoveTenantWideGrant: true,
        });
        expect(status).toBe(0);
        expect(said).toMatch(/What if: .*"Remove the tenant-wide grant.*" on target "Mail\.Send"/);
        expect(changes()).toEqual([]);
        expect(shell.get().grants).toHaveLength(1);
      });

      test('points a scope that lets in more than the group at the group again', async () => {
        await setUp();
        shell.change(({ scopes }) => {
          for (const scope of scopes) scope.RecipientFilter += " -or (CustomAttribute1 -eq 'x')";
        });
        const { status, said } = await run();
        expect(status).toBe(0);
        expect(said).toContain("pointed the scope 'Graph Mail Relay' at the group");
        expect(shell.get().scopes[0]?.RecipientFilter).not.toContain('CustomAttribute1');
      });

      test('continues one that stopped halfway', async () => {
        shell.change(({ fail }) => {
          fail['New-ManagementScope'] = 'The scope was rejected.';
        });
        await run();
        shell.change((tenant) => {
          tenant.fail = {};
        });
        const { status, said } = await run();
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(shell.get().groups).toHaveLength(1);
      });
    });

    describe('an error of any command', () => {
      test.each([
        'Get-ConnectionInformation',
        'Get-OrganizationConfig',
        'Get-Mailbox',
        'Get-ServicePrincipal',
        'Get-ManagementRoleAssignment',
        'Get-DistributionGroup',
        'Get-ManagementScope',
        'New-DistributionGroup',
        'Set-DistributionGroup',
        'Add-DistributionGroupMember',
        'New-ServicePrincipal',
        'New-ManagementScope',
        'New-ManagementRoleAssignment',
        'Test-ServicePrincipalAuthorization',
      ])('stops it there: %s', async (command) => {
        shell.change(({ fail }) => {
          fail[command] = 'Exchange rejected this.';
        });
        const { status, said } = await run();
        expect(said).toContain('limit-mailboxes.ps1 stopped: Exchange rejected this.');
        expect(status).toBe(1);
        expect(shell.calls().at(-1)).toMatch(new RegExp(`^${command}\\b`));
        const before = changes().slice(0, CHANGES.test(command) ? -1 : undefined);
        for (const name of before.map((call) => call.split(' ')[0]))
          expect(said).toMatch(
            { 'New-ManagementScope': /created the scope/, 'New-ServicePrincipal': /registered/ }[
              name ?? ''
            ] ?? /created|added|hid|assigned/,
          );
        if (before.length > 0) expect(said).toContain('Run the same command again');
      });
    });

    describe('nothing is changed', () => {
      test('for a mailbox that does not exist', () =>
        expectStop({ Mailbox: ['nobody@contoso.com'] }, 'has no mailbox nobody@contoso.com'));

      test('for an outside mailbox that is one of the senders, by an alias', () =>
        expectStop({ OutsideMailbox: 'no-reply@contoso.com' }, 'is one of -Mailbox'));

      test('in a tenant that was never customised', async () => {
        shell.change((tenant) => {
          tenant.dehydrated = true;
        });
        await expectStop({}, 'Run Enable-OrganizationCustomization once');
      });

      test('in another tenant than expected', () =>
        expectStop({ TenantId: OTHER_TENANT }, `connected to tenant ${TENANT}, expected ${OTHER_TENANT}`));

      test('where Exchange and Graph are connected to different tenants', async () => {
        shell.change((tenant) => {
          tenant.graph = { TenantId: OTHER_TENANT, Scopes: [] };
        });
        await expectStop(
          {},
          `Exchange Online is connected to tenant ${TENANT}, and Graph to tenant ${OTHER_TENANT}`,
        );
      });

      test('where Exchange is connected to two tenants', async () => {
        shell.change((tenant) => {
          tenant.connections = [connection(), connection(OTHER_TENANT)];
        });
        await expectStop({}, 'in 2 tenants');
      });

      test('without a connection to Exchange; Security & Compliance is none', async () => {
        shell.change((tenant) => {
          tenant.connections = [
            { ...connection(), State: 'Broken' },
            { ...connection(), ConnectionUri: 'https://eur01b.ps.compliance.protection.outlook.com' },
          ];
        });
        await expectStop({}, 'run in this PowerShell session: Connect-ExchangeOnline');
      });

      test('by an administrator whose roles do not allow it', async () => {
        shell.change((tenant) => {
          tenant.hidden = ['New-ManagementScope'];
        });
        await expectStop({}, 'cannot run New-ManagementScope', 'Organization Management');
      });

      test('for an application that the tenant does not have', async () => {
        shell.change((tenant) => {
          tenant.enterpriseApps = [];
        });
        await expectStop({}, `no enterprise application with the client ID ${CLIENT}`);
      });

      test('for the Object ID of the app registration, and the right one is named', () =>
        expectStop(
          { ServicePrincipalId: OTHER_PRINCIPAL },
          `Run this again with -ServicePrincipalId ${PRINCIPAL}`,
        ));

      const foreignGroup = (Members: string[]) =>
        shell.change(({ groups }) => {
          groups.push({
            Name: 'Graph Mail Relay',
            Guid: 'group-of-others',
            RecipientTypeDetails: 'MailUniversalSecurityGroup',
            DistinguishedName: 'CN=Graph Mail Relay,DC=OUTLOOK,DC=COM',
            HiddenFromAddressListsEnabled: false,
            Members,
            WhenChangedUTC: '2026-01-01T00:00:00Z',
          });
        });

      test('where the name is that of a group of others, which -RemoveOthers would empty', async () => {
        foreignGroup(['noreply@contoso.com', 'payroll@contoso.com']);
        for (const RemoveOthers of [false, true])
          await expectStop(
            { RemoveOthers },
            'no scope or role of this application refers to it',
            '1 member(s)',
          );
      });

      test('but not where every member of the group is named', async () => {
        foreignGroup(['noreply@contoso.com']);
        expect((await run()).status).toBe(0);
      });

      test('where the name is that of a group that is not a security group', async () => {
        await setUp();
        shell.change(({ groups }) => {
          for (const group of groups) group.RecipientTypeDetails = 'MailUniversalDistributionGroup';
        });
        await expectStop(
          { Mailbox: ['payroll@contoso.com'] },
          'is a MailUniversalDistributionGroup, expected a mail-enabled security group',
        );
      });

      test('while its role is disabled', async () => {
        await setUp();
        shell.change(({ assignments }) => {
          for (const assignment of assignments) assignment.Enabled = false;
        });
        await expectStop({}, "Set-ManagementRoleAssignment 'Graph Mail Relay Mail.Send' -Enabled $true");
      });
    });

    describe('a second relay in the tenant', () => {
      const second = {
        ClientId: OTHER_CLIENT,
        ServicePrincipalId: OTHER_PRINCIPAL,
        Mailbox: ['payroll@contoso.com'],
      };
      beforeEach(async () => {
        await setUp();
        shell.change(({ enterpriseApps }) => {
          enterpriseApps.push({ id: OTHER_PRINCIPAL, appId: OTHER_CLIENT });
        });
      });

      test('under the name of the first one stops before it could widen the mailboxes of the first', () =>
        expectStop(
          second,
          "The name 'Graph Mail Relay' belongs to another application",
          CLIENT,
          'with a -Name of its own',
        ));

      test('under a name of its own gets its own group, scope and role', async () => {
        const { status, said } = await run({ ...second, Name: 'second-relay' });
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        const { groups, assignments } = shell.get();
        expect(groups.map(({ Name, Members }) => [Name, ...Members])).toEqual([
          ['Graph Mail Relay', 'noreply@contoso.com'],
          ['second-relay', 'payroll@contoso.com'],
        ]);
        expect(assignments.map(({ RoleAssignee }) => RoleAssignee)).toEqual([PRINCIPAL, OTHER_PRINCIPAL]);
      });

      test('does not take a group that limits another application by a scope with another name', async () => {
        shell.change(({ scopes, assignments }) => {
          for (const scope of scopes) scope.Name = 'by hand';
          for (const assignment of assignments)
            Object.assign(assignment, { Name: 'by hand', CustomResourceScope: 'by hand' });
        });
        await expectStop(second, "also limits another application, by the scope 'by hand'");
      });
    });

    describe('a registration made anew', () => {
      test('stops and says what to remove; then the same command completes', async () => {
        await setUp();
        shell.change((tenant) => {
          tenant.enterpriseApps = [{ id: OTHER_PRINCIPAL, appId: OTHER_CLIENT }];
        });
        const anew = { ClientId: OTHER_CLIENT, ServicePrincipalId: OTHER_PRINCIPAL };
        await expectStop(
          anew,
          `Remove-ManagementRoleAssignment 'Graph Mail Relay Mail.Send'; Remove-ServicePrincipal '${PRINCIPAL}'`,
        );
        shell.change((tenant) => {
          tenant.assignments = [];
          tenant.servicePrincipals = [];
        });
        const { status, said } = await run(anew);
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(shell.get().groups).toHaveLength(1);
      });

      test('of its enterprise application alone is found by the Object ID that Exchange has', async () => {
        await setUp();
        shell.change((tenant) => {
          tenant.enterpriseApps = [{ id: OTHER_PRINCIPAL, appId: CLIENT }];
        });
        await expectStop(
          { ServicePrincipalId: OTHER_PRINCIPAL },
          `another Object ID (${PRINCIPAL})`,
          `Remove-ServicePrincipal '${PRINCIPAL}'`,
        );
      });
    });

    describe('the same application under another name', () => {
      test('stops and names the scope it has, as both would apply', async () => {
        await setUp();
        await expectStop(
          { Name: 'graph-mail-relay' },
          "already has the role 'Application Mail.Send' within the scope 'Graph Mail Relay'",
          "-Name 'Graph Mail Relay'",
        );
      });

      test('fails where a further role reaches mailboxes outside the scope', async () => {
        await setUp();
        shell.change(({ assignments }) => {
          const [first] = assignments;
          if (first !== undefined)
            assignments.push({
              ...first,
              Name: 'everything',
              Role: 'Application Mail Full Access',
              CustomResourceScope: null,
            });
        });
        const { status, said } = await run();
        expect(status).toBe(1);
        expect(said).toContain("Remove-ManagementRoleAssignment 'everything'");
        expect(said).not.toContain('Checked:');
      });
    });

    describe('a grant for the whole tenant', () => {
      const granted = (edit?: (tenant: Tenant) => void) =>
        shell.change((tenant) => {
          tenant.grants = [
            { ...grant('grant-0'), appRoleId: 'df021288-bdef-4463-88db-98f22de89214' },
            grant(),
          ];
          edit?.(tenant);
        });

      test('fails the run, also where it is on the second page', async () => {
        await setUp(3);
        granted();
        const { status, said } = await run();
        expect(status).toBe(1);
        expect(said).toContain(
          'The application has Mail.Send for the whole tenant, so the scope limits nothing.',
        );
        expect(said).not.toContain('Checked:');
      });

      test('is removed two hours after the last change, and no other grant with it', async () => {
        await setUp(3);
        granted();
        const { status, said } = await run({ RemoveTenantWideGrant: true });
        expect(said).toContain('removed Mail.Send for the whole tenant');
        expect(said).toContain(CHECKED);
        expect(status).toBe(0);
        expect(shell.get().grants.map(({ id }) => id)).toEqual(['grant-0']);
      });

      test.each([
        [
          'a mailbox was added',
          async () => setUp(3),
          { Mailbox: ['noreply@contoso.com', 'payroll@contoso.com'] },
        ],
        ['everything was made', async () => {}, {}],
        ['a role was added', async () => setUp(3), { AlsoGrant: ['Mail.Read'] }],
      ])('stays in the very run in which %s', async (_, before, more) => {
        await before();
        granted();
        const { status, said } = await run({ ...more, RemoveTenantWideGrant: true });
        expect(said).toContain('was not removed: this run has changed something');
        expect(status).toBe(1);
        expect(shell.get().grants).toHaveLength(2);
      });

      test.each(['groups', 'scopes', 'assignments'] as const)(
        'stays for two hours after a change of %s by an earlier run',
        async (changed) => {
          await setUp(3);
          granted((tenant) => {
            for (const row of tenant[changed])
              row.WhenChangedUTC = new Date(Date.now() - 3_600_000).toISOString();
          });
          const { status, said } = await run({ RemoveTenantWideGrant: true });
          expect(said).toContain('is less than 2 hours old');
          expect(status).toBe(1);
          expect(shell.get().grants).toHaveLength(2);
        },
      );

      test('goes sooner only with -Force', async () => {
        await setUp();
        granted();
        expect((await run({ RemoveTenantWideGrant: true })).status).toBe(1);
        expect((await run({ RemoveTenantWideGrant: true, Force: true })).status).toBe(0);
        expect(shell.get().grants).toHaveLength(1);
      });

      test('stays where the tests fail', async () => {
        await setUp(3, { Mailbox: ['noreply@contoso.com', 'payroll@contoso.com'] });
        granted();
        const { status, said } = await run({ RemoveTenantWideGrant: true });
        expect(said).toContain('was not removed, because of the above');
        expect(status).toBe(1);
      });

      test('stays where the connection may not remove it, and the sign-in that may is named', async () => {
        await setUp(3);
        granted((tenant) => {
          tenant.graph = { TenantId: TENANT, Scopes: ['Application.Read.All'] };
        });
        const { status, said } = await run({ RemoveTenantWideGrant: true });
        expect(said).toContain(
          'Connect-MgGraph -Scopes Application.Read.All, AppRoleAssignment.ReadWrite.All',
        );
        expect(status).toBe(1);
      });

      test('that could not be looked for fails the run, which claims nothing about it', async () => {
        shell.change((tenant) => {
          tenant.graph = null;
        });
        const { status, said } = await run();
        expect(status).toBe(1);
        expect(said).toContain('Not checked: whether consent in Entra ID');
        expect(said).not.toContain('Checked: the application');
      });
    });

    describe('the module of Exchange', () => {
      const folder = (name: string, version?: string): string => {
        const path = join(shell.root, name);
        mkdirSync(path);
        if (version !== undefined) {
          cpSync(
            join(import.meta.dirname, 'exchange-stand-in/ExchangeOnlineManagement'),
            join(path, 'ExchangeOnlineManagement'),
            { recursive: true },
          );
          const manifest = join(path, 'ExchangeOnlineManagement/ExchangeOnlineManagement.psd1');
          writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('3.9.0', version));
        }
        return path;
      };

      test('is named with the command that installs it, where it is missing', async () => {
        const { status, said } = await shell.run(PARAMETERS, { path: folder('none'), imported: [] });
        expect(said).toContain('Run: Install-Module ExchangeOnlineManagement -Scope CurrentUser');
        expect(status).toBe(1);
      });

      test('is named with the command that updates it, where it is too old', async () => {
        const { status, said } = await shell.run(PARAMETERS, {
          path: folder('old', '3.3.0'),
          imported: ['ExchangeOnlineManagement'],
        });
        expect(said).toContain('ExchangeOnlineManagement 3.3.0 is too old; expected 3.4.0 or newer');
        expect(status).toBe(1);
      });
    });
  },
);

test('the script explains each of its parameters', () => {
  const text = readFileSync(SCRIPT, 'utf8');
  const parameters = [
    ...(/param\(([\s\S]*?)\n\)/.exec(text)?.[1] ?? '').matchAll(/\$([A-Z]\w+)[ ,\n=]/g),
  ].map(([, name]) => name);
  const explained = [...text.matchAll(/^\.PARAMETER (\w+)$/gm)].map(([, name]) => name);
  expect([...new Set(parameters)].sort()).toEqual(explained.sort());
});
