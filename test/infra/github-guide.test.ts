import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT, readDocument } from '../support/documents.ts';
import { type Call, followGuide } from '../support/follow-guide.ts';
import { readInfra } from './bicep-text.ts';

const sectionOf = (path: string, heading: string): string => {
  const [, after = ''] = readDocument(path).text.split(`${heading}\n`);
  return after.split(/^##+ /m)[0] ?? '';
};

const guides = [
  ['docs/setup.md', sectionOf('docs/setup.md', '## Deploy from GitHub Actions')],
  ['docs/setup.zh-Hant.md', sectionOf('docs/setup.zh-Hant.md', '### 使用 GitHub Actions')],
] as const;

const deploy = readFileSync(join(ROOT, '.github/workflows/deploy.yml'), 'utf8');
const condition = readFileSync(join(ROOT, '.github/role-condition.txt'), 'utf8');

const namesIn = (text: string, pattern: RegExp): ReadonlySet<string> =>
  new Set([...text.matchAll(pattern)].map(([, name = '']) => name));

/** As each question of the guide needs. */
const ANSWERS = {
  api: 'repo:contoso@1/mail-relay@2',
  'group show': '/subscriptions/s/resourceGroups/rg-mail-relay',
  'identity show': 'principal-of-{name}',
  'deployment group show': '11111111-1111-4111-8111-111111111111',
};

/** Runs the commands of a guide in the order in which it gives them. */
const follow = (guide: string): readonly Call[] => followGuide(guide, ['az', 'gh'], ANSWERS);

const optionOf = (call: Call, option: string): string => call[call.indexOf(option) + 1] ?? '';
const callsOf = (calls: readonly Call[], words: string): readonly Call[] =>
  calls.filter((call) => call.join(' ').startsWith(words));

test('the condition admits the five roles of the relay, to assign and to remove, and no other', () => {
  // What writers of a caller's queue get goes to other identities, which the condition admits none of.
  const ids = [...readInfra('modules/role-ids.bicep').matchAll(/'([\w ]+)': '([0-9a-f-]{36})'/g)]
    .filter(([, name]) => name !== 'Storage Queue Data Message Sender')
    .map(([, , id]) => id);
  expect(ids).toHaveLength(5);
  const admitted = `ForAnyOfAnyValues:GuidEquals {${ids.join(', ')}}`;
  const branch = (verb: string, from: string): string =>
    `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${verb}'})) OR ` +
    `(@${from}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ${admitted} AND ` +
    `@${from}[Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals {PRINCIPAL-ID}))`;
  const oneLine = condition.replaceAll(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')').trim();
  expect(oneLine).toBe(`${branch('write', 'Request')} AND ${branch('delete', 'Resource')}`);
});

test('the rights of the preview cover what the templates read: the settings of an app, and no key of anything', () => {
  const files = [
    'main.bicep',
    ...['function-app', 'storage', 'vault', 'monitoring'].map((one) => `modules/${one}.bicep`),
  ];
  const lists = files.flatMap((file) => readInfra(file).match(/\blist\w*\(.*$/gm) ?? []);
  expect(lists.filter((call) => !call.includes('/config/appsettings'))).toEqual([]);
});

test.each(guides)('%s names every variable of the workflow, and no other', (_path, guide) => {
  const used = namesIn(deploy, /\$\{\{ vars\.(\w+)/g);
  const named = namesIn(guide, /`((?:AZURE|ENTRA|MAIL|RELAY)_[A-Z_]+)`/g);
  const environments = parse(deploy).jobs as Record<string, { environment?: string | { name: string } }>;
  expect([...named].sort()).toEqual([...used].sort());
  for (const { environment } of Object.values(environments)) {
    const name = typeof environment === 'string' ? environment : environment?.name;
    if (name !== undefined) expect(guide).toContain(`\`${name}\``);
  }
});

test.each(guides)(
  '%s limits both environments to main, and only production has reviewers',
  (_path, guide) => {
    for (const part of ['Selected branches and tags', '`main`', 'Required reviewers', 'Prevent self-review'])
      expect(guide).toContain(part);
  },
);

test.each(guides)('%s asks only for outputs that main.bicep has', (_path, guide) => {
  const asked = namesIn(guide, /properties\.outputs\.(\w+)/g);
  expect(asked.size).toBeGreaterThan(0);
  for (const output of asked) expect(readInfra('main.bicep')).toMatch(new RegExp(`^output ${output} `, 'm'));
});

test.each(guides)('the commands of %s make two identities that GitHub alone can use', (_path, guide) => {
  const calls = follow(guide);
  const credentials = callsOf(calls, 'az identity federated-credential create');
  expect(credentials.map((call) => [optionOf(call, '--identity-name'), optionOf(call, '--subject')])).toEqual(
    [
      ['id-mail-relay-plan', 'repo:contoso@1/mail-relay@2:environment:plan'],
      ['id-mail-relay-production', 'repo:contoso@1/mail-relay@2:environment:production'],
    ],
  );
  // Whoever deploys to the group of the relay cannot change who may use the identities.
  const groups = calls
    .filter((call) => call.includes('identity'))
    .map((call) => optionOf(call, '--resource-group'));
  expect(new Set(groups)).toEqual(new Set(['rg-mail-relay-github']));
});

test.each(guides)(
  'after the commands of %s, plan reads and previews, and production deploys and assigns the roles of the relay',
  (_path, guide) => {
    const calls = follow(guide);
    const [role] = callsOf(calls, 'az role definition create');
    const scope = '/subscriptions/s/resourceGroups/rg-mail-relay';
    expect(JSON.parse(optionOf(role ?? [], '--role-definition'))).toEqual({
      Name: 'Preview deployments of rg-mail-relay',
      Description: 'Previews deployments, together with Reader.',
      Actions: [
        'Microsoft.Resources/deployments/validate/action',
        'Microsoft.Resources/deployments/whatIf/action',
        'Microsoft.Web/sites/config/list/action',
      ],
      AssignableScopes: [scope],
    });
    const assigned = callsOf(calls, 'az role assignment create');
    expect(
      assigned.map((call) => [optionOf(call, '--assignee-object-id'), optionOf(call, '--role')]),
    ).toEqual([
      ['principal-of-id-mail-relay-plan', 'Reader'],
      ['principal-of-id-mail-relay-plan', 'Preview deployments of rg-mail-relay'],
      ['principal-of-id-mail-relay-production', 'Contributor'],
      ['principal-of-id-mail-relay-production', 'Role Based Access Control Administrator'],
    ]);
    expect(new Set(assigned.map((call) => optionOf(call, '--scope')))).toEqual(new Set([scope]));
    const [, , , administrator] = assigned;
    expect(optionOf(administrator ?? [], '--condition-version')).toBe('2.0');
    expect(optionOf(administrator ?? [], '--condition')).toBe(
      condition.trimEnd().replaceAll('PRINCIPAL-ID', '11111111-1111-4111-8111-111111111111'),
    );
  },
);
