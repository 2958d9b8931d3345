import { describe, expect, test } from 'vitest';
import { FABRIKAM_CLIENT_ID, fabrikam } from '../local/directory.ts';
import { readLocalSettings } from '../local/relay-settings.ts';
import { connectionOf, vaultNameOf } from '../src/lib/connections/connection.ts';
import { readConnection } from '../src/lib/connections/connection-definition.ts';
import { isAllowedSender } from '../src/lib/mail/sender-policy.ts';
import { problemsOfConnections, toConnections, toSenderPolicy } from '../src/lib/settings/connections.ts';
import { readSettings } from '../src/lib/settings/settings.ts';
import { readDocument } from './support/documents.ts';

const { text: page } = readDocument('docs/connections.md');
const sectionOf = (title: string): string => {
  const [, rest = ''] = page.split(`\n## ${title}\n`);
  return rest.split('\n## ')[0] ?? '';
};

/** The settings that an example shows, beside those that every relay has. */
const settingsIn = (text: string) => {
  const lines = [...text.matchAll(/```text\n(.*?)```/gs)].map(([, block = '']) => block.trim());
  return lines.map((block) =>
    readSettings({
      ENTRA_TENANT_ID: 'contoso.com',
      ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
      KEY_VAULT_URL: 'https://kv-relay.vault.azure.net',
      MAIL_DEFAULT_SENDER: 'noreply@contoso.com',
      AzureWebJobsStorage__accountName: 'stmailrelay',
      ...Object.fromEntries(block.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2))),
    }),
  );
};

test('both forms of the page declare the same connection', () => {
  const [named, listed] = settingsIn(sectionOf('Declare a connection'));
  expect(toConnections(named!)).toEqual(toConnections(listed!));
  expect(toConnections(named!)).toHaveLength(2);
});

describe('the set-up of a product is settings that are right and route its senders:', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly (string | undefined)[]]>([
    [
      'HRPro',
      {
        'hr-noreply@contoso.com.tw': 'main',
        'payslip@contoso.com.tw': 'main',
        'hr-noreply@contoso.com.hk': 'hrpro-hk',
        'Payslip@Contoso.com.hk': 'hrpro-hk',
      },
      ['graph-client-secret', 'graph-client-secret-hrpro-hk'],
    ],
    [
      'FIRST LINE',
      {
        'support@contoso.com': 'main',
        'service@contoso.com': 'main',
        'support@fabrikam.com': 'firstline-fabrikam',
        'service@fabrikam.com': 'firstline-fabrikam',
      },
      ['graph-client-secret', 'firstline-fabrikam'],
    ],
    [
      'Exact',
      {
        'noreply@contoso.com': 'main',
        'invoices@contoso.com': 'exact-globe',
        'workflow@contoso.com': 'exact-synergy',
        'elis@contoso.com': 'exact-elis',
      },
      [
        'graph-client-secret',
        'graph-client-secret-exact-globe',
        'graph-client-secret-exact-synergy',
        'graph-client-certificate-exact-elis',
      ],
    ],
    [
      'ESMP',
      {
        'noreply@contoso.com': 'main',
        'tickets@contoso.com': 'esmp',
        'anyone@service.contoso.com': 'esmp',
      },
      ['graph-client-secret', undefined],
    ],
  ])('%s', (product, routes, vaultNames) => {
    const [settings, ...more] = settingsIn(sectionOf(product));
    expect(more).toEqual([]);
    expect(problemsOfConnections(settings!)).toEqual([]);
    const connections = toConnections(settings!);
    const policy = toSenderPolicy(settings!);
    for (const [sender, name] of Object.entries(routes)) {
      expect([sender, connectionOf(connections, sender).name]).toEqual([sender, name]);
      expect([sender, isAllowedSender(policy, sender)]).toEqual([sender, true]);
    }
    expect(connections.map(({ credential }) => vaultNameOf(credential))).toEqual(vaultNames);
    // What the page calls a secret in the vault is one.
    for (const name of vaultNames.slice(1))
      if (name !== undefined && !name.includes('exact')) expect(sectionOf(product)).toContain(`\`${name}\``);
  });
});

test('the table has every field of a connection, and no other', () => {
  const told = [...sectionOf('Fields').matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field);
  const { problems } = readConnection({ anotherField: 1 }, '');
  const expected = problems.find(({ pointer }) => pointer === '/anotherField')?.expected ?? '';
  expect(told.sort()).toEqual(expected.replace('only the fields ', '').split(', ').sort());
});

test('the local example is one that npm start takes, for the registration and the mailboxes of Fabrikam', () => {
  const [, name = '', value = ''] = /```sh\n(GRAPH_CONNECTION_\w+)='(.*)' npm start/.exec(page) ?? [];
  const { settings, problems, remarks } = readLocalSettings({ [name]: value });
  expect([settings, problems, remarks]).toEqual([{ [name]: value }, [], []]);
  const directory = fabrikam('a secret', new Date());
  expect(JSON.parse(value)).toMatchObject({
    clientId: FABRIKAM_CLIENT_ID,
    tenantId: directory.tenantDomain,
  });
  for (const { address } of directory.mailboxes)
    expect(page).toContain(address.endsWith('noreply@fabrikam.example') ? '`noreply@`' : `\`${address}\``);
});
