import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasPwsh } from './infra/exchange-stand-in/powershell.ts';
import { firstCellsUnder, ROOT, readDocument, readDocuments } from './support/documents.ts';
import { bashBlocksOf } from './support/follow-guide.ts';
import { TOOLS_MS } from './support/patience.ts';

/** Stands for the address of the repository, until it has a public one. */
const PLACEHOLDER = 'OWNER/REPOSITORY';

const pages = readDocuments();
const setup = readDocument('docs/setup.md');
const portal = readDocument('docs/setup-portal.md');
const chinese = readDocument('docs/setup.zh-Hant.md');
const limit = readDocument('infra/scripts/limit-mailboxes.ps1').text;

describe('the address of the repository', () => {
  const mentions = pages.flatMap(({ path, text }) =>
    [
      ...text.matchAll(
        /git clone (\S+)|(?:raw\.githubusercontent\.com|github\.com)\/([^\s)`]+\/(?:main|releases)\/)|--repo (\S+)/g,
      ),
    ].map(([whole]) => `${path}: ${whole}`),
  );

  test('is the same placeholder wherever a reader needs it', () => {
    expect(mentions.length).toBeGreaterThan(8);
    expect(mentions.filter((mention) => !mention.includes(PLACEHOLDER))).toEqual([]);
  });

  test('has no other placeholder', () => {
    const other = /<[^>\n]*(?:repository|owner|儲存庫|擁有者)[^>\n]*>|REPOSITORY-URL|your-(?:org|repo)\b/i;
    expect(pages.filter(({ text }) => other.test(text)).map(({ path }) => path)).toEqual([]);
  });

  test.each(['README.md', 'docs/setup.md', 'docs/setup.zh-Hant.md'])(
    '%s says what the placeholder is',
    (path) => {
      expect(readDocument(path).text).toMatch(
        /`OWNER\/REPOSITORY` (?:\S+ )*stands for|`OWNER\/REPOSITORY` 代表/,
      );
    },
  );
});

describe('the button Deploy to Azure', () => {
  const BUTTON =
    /\[!\[Deploy to Azure\]\(https:\/\/aka\.ms\/deploytoazurebutton\)\]\(https:\/\/portal\.azure\.com\/#create\/Microsoft\.Template\/uri\/([^/)]+)\/createUIDefinitionUri\/([^/)]+)\)/;

  test.each(['README.md', 'docs/setup.md', 'docs/setup-portal.md', 'docs/setup.zh-Hant.md'])(
    'of %s opens the template and the form that are in infra/',
    (path) => {
      const addresses = (BUTTON.exec(readDocument(path).text) ?? []).slice(1).map(decodeURIComponent);
      const raw = `https://raw.githubusercontent.com/${PLACEHOLDER}/main/`;
      expect(addresses).toEqual([`${raw}infra/azuredeploy.json`, `${raw}infra/createUiDefinition.json`]);
      for (const address of addresses) expect(existsSync(join(ROOT, address.replace(raw, '')))).toBe(true);
    },
  );

  test('is said to need a public address and a release', () => {
    for (const path of ['README.md', 'docs/setup.md', 'docs/setup-portal.md'])
      expect(readDocument(path).text.replaceAll(/\s+/g, ' '), path).toMatch(
        /public address .{0,40}and a release/,
      );
    expect(chinese.text).toContain('儲存庫有公開的位址並發行版本（release）之後才能使用');
  });
});

describe('the form in the portal', () => {
  type Element = { readonly type: string; readonly label: string };
  const { parameters } = JSON.parse(readDocument('infra/createUiDefinition.json').text);
  const elements: readonly Element[] = [
    ...parameters.basics,
    ...parameters.steps.flatMap((step: { elements: readonly Element[] }) => step.elements),
  ];
  const questions = elements.filter(({ type }) => !type.endsWith('.InfoBox')).map(({ label }) => label);

  test.each([
    [portal, 'Azure'],
    [chinese, 'Azure'],
  ])('$path explains every question of it, in its order', (page, heading) => {
    // The group and the region are questions of the portal itself.
    const rows = firstCellsUnder(page, heading).map((cell) => cell.replace(/（.*）$/, ''));
    expect(rows.filter((row) => !/^(?:Subscription\W|Region$)/.test(row))).toEqual(questions);
  });

  test.each([portal, chinese])('$path names only outputs that the deployment has', ({ text }) => {
    const named = [...text.matchAll(/`((?:functionApp|vault)\w+)`/g)].map(([, name = '']) => name);
    expect(new Set(named)).toEqual(new Set(['functionAppName', 'functionAppUrl', 'vaultName']));
    const template = readDocument('infra/main.bicep').text;
    for (const name of named) expect(template).toMatch(new RegExp(`^output ${name} `, 'm'));
  });

  test.each([portal, chinese])('$path takes the package that a release attaches', ({ text }) => {
    const [, file = ''] = /releases\/latest\/download\/([\w.-]+)/.exec(text) ?? [];
    expect(readDocument('.github/workflows/release.yml').text).toMatch(
      new RegExp(`gh release create [^]*? ${file} `),
    );
  });
});

test.each([setup, chinese])('$path names every resource provider that a deployment needs', ({ text }) => {
  // These two are registered in every subscription.
  const always = new Set(['Microsoft.Authorization', 'Microsoft.Resources']);
  const used = new Set(
    [...readDocument('infra/azuredeploy.json').text.matchAll(/"type": "(Microsoft\.\w+)\//g)]
      .map(([, provider = '']) => provider)
      .filter((provider) => !always.has(provider)),
  );
  const ofOptions = ['Microsoft.EventGrid', 'Microsoft.Network'];
  const block = bashBlocksOf(text).find((commands) => commands.includes('az provider register')) ?? '';
  const registered = [...block.matchAll(/Microsoft\.\w+/g)].map(([provider]) => provider);
  for (const provider of used)
    if (ofOptions.includes(provider)) expect(text).toContain(`\`${provider}\``);
    else expect(registered).toContain(provider);
  expect(registered).toHaveLength(used.size - ofOptions.length);
});

describe('limit-mailboxes.ps1 in the guides', () => {
  const parameters = new Set([
    'WhatIf',
    ...[...limit.matchAll(/^ {4}(?:\[.*\] )?\[[\w[\]]+\] \$(\w+)(?: = .*)?,?$/gm)].map(([, name]) => name),
  ]);

  test.each([setup, chinese])('$path uses only parameters that it has', ({ text }) => {
    const [, command = ''] = /^\.\/limit-mailboxes\.ps1 (.*?)^```/ms.exec(text) ?? [];
    const used = [...command.matchAll(/(?<=\s|^)-(\w+)/g)].map(([, name]) => name);
    expect(used).toEqual([
      'TenantId',
      'ClientId',
      'ServicePrincipalId',
      'Name',
      'Mailbox',
      'OutsideMailbox',
      'WhatIf',
    ]);
    for (const name of used) expect(parameters).toContain(name);
  });

  test.each([setup, chinese])('$path shows what it prints', ({ text }) => {
    const [, shown = ''] = /^```text\n( {3}created the group.*?)^```/ms.exec(text) ?? [];
    const lines = shown.split('\n').filter(Boolean);
    expect(lines.length).toBeGreaterThan(5);
    // What stands between quotes, the addresses and the number are those of the example.
    const fixed = (line: string) =>
      line
        .trim()
        .split(/'[^']*'|\S+@\S+|\d+ (?=mailbox)|(?<=has )Mail\.Send/)
        .filter((part) => /\w{4}/.test(part) && part !== '...')
        .map((part) => part.replace(/ \.\.\.$/, '').trim());
    for (const line of lines) for (const part of fixed(line)) expect(limit, line).toContain(part);
  });
});

describe('the guide in Traditional Chinese', () => {
  /** Commands without what each language writes between < and >, and without the region. */
  const commandsOf = (text: string): readonly string[] =>
    [...text.matchAll(/^ *```(?:bash|powershell|text)\n(.*?)^ *```/gms)]
      .map(([, block = '']) =>
        block
          .replaceAll(/<[^>\n]*>/g, '<>')
          .replaceAll(/westeurope|eastasia/g, 'region')
          .replaceAll(/^ +/gm, ''),
      )
      .sort();

  test('has the commands and the expected output of the English pages', () => {
    const english = [setup, portal, readDocument('docs/migrate/office365-smtp.md')].flatMap(({ text }) =>
      commandsOf(text),
    );
    expect(english.length).toBeGreaterThan(20);
    expect(commandsOf(chinese.text)).toEqual(english.toSorted());
  });

  test('has the rows of the table that explains the test email', () => {
    const codesOf = (cells: readonly string[]) => cells.flatMap((cell) => cell.match(/`[^`]+`/g) ?? []);
    const english = firstCellsUnder(setup, 'Check the test email');
    const translated = firstCellsUnder(chinese, '檢查測試郵件');
    expect(translated).toHaveLength(english.length);
    expect(codesOf(translated)).toEqual(codesOf(english));
  });
});

const PARSE = `
foreach ($block in (ConvertFrom-Json ([Console]::In.ReadToEnd()))) {
  $problems = $null
  $null = [System.Management.Automation.Language.Parser]::ParseInput($block, [ref]$null, [ref]$problems)
  foreach ($problem in $problems) { "$($problem.Message) $block" }
}`;

test.skipIf(!hasPwsh)(
  `the real PowerShell understands every command line of the guides${hasPwsh ? '' : ' (skipped: pwsh is not installed)'}`,
  () => {
    const blocksOf = (text: string) =>
      [...text.matchAll(/^ *```powershell\n(.*?)^ *```/gms)].map(([, block = '']) =>
        block.replaceAll(/<[^>\n]+>/g, 'x'),
      );
    const parse = (blocks: readonly string[]) =>
      spawnSync('pwsh', ['-NoProfile', '-NonInteractive', '-Command', PARSE], {
        input: JSON.stringify(blocks),
        encoding: 'utf8',
      }).stdout;
    const blocks = pages.filter(({ path }) => path.startsWith('docs/')).flatMap(({ text }) => blocksOf(text));
    expect(blocks.length).toBeGreaterThan(12);
    expect(parse(blocks)).toBe('');
    expect(parse(["Get-Mailbox 'x"])).toContain('terminator');
  },
  TOOLS_MS,
);
