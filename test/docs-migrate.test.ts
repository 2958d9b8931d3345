import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { fileSchema } from '../clients/smtp-door/src/configuration-schema.ts';
import { catalogue } from '../src/lib/error-catalogue.ts';
import { mailSchema } from '../src/lib/mail/mail-schema.ts';
import { settingsTable } from '../src/lib/settings/settings.ts';
import { codeBlocksOf, inlineCodeOf, ROOT, readDocument } from './support/documents.ts';

const overview = readDocument('docs/migrate/README.md');
const office365 = readDocument('docs/migrate/office365-smtp.md');
const smtp2graph = readDocument('docs/migrate/smtp2graph.md');

/** The rows of the first table under a heading, without its head. */
const rowsUnder = (text: string, heading: string): readonly (readonly string[])[] => {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
};
const codeIn = (cell = ''): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

test('the overview leads to every page of the folder', () => {
  const pages = readdirSync(join(ROOT, 'docs/migrate')).filter((name) => name !== 'README.md');
  expect(pages.length).toBeGreaterThanOrEqual(2);
  expect(pages.filter((name) => !overview.text.includes(`](${name})`))).toEqual([]);
});

describe.each([office365, smtp2graph])('$path', (page) => {
  test('has a table of what maps, a table of what does not and what then happens, and what to check', () => {
    expect(rowsUnder(page.text, 'What maps').length).toBeGreaterThan(15);
    const unmapped = rowsUnder(page.text, 'What does not map');
    expect(unmapped.length).toBeGreaterThan(5);
    for (const row of unmapped) expect(row).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
    expect(page.text).toMatch(/^## What to check\n\n- /m);
  });
});

test.each([overview, office365, smtp2graph])('$path names options that npm run callers has', (page) => {
  const help = readDocument('scripts/callers.ts').text;
  const options = inlineCodeOf(page)
    .filter((code) => code.includes('npm run callers') || /^--[a-z-]+$/.test(code))
    .flatMap((code) => code.match(/--[a-z][a-z-]+/g) ?? []);
  expect(options.filter((option) => !help.includes(`${option} `))).toEqual([]);
});

describe('the table of SMTP', () => {
  const fields = Object.keys(mailSchema.shape);
  const mapped = rowsUnder(office365.text, 'What maps').flatMap(([, cell]) => codeIn(cell));

  test('names every field of an email that SMTP knows too', () => {
    /** Of the relay alone. */
    const own = ['saveToSentItems', 'idempotencyKey', 'onUnknown', 'priority', 'tags', 'sendAt'];
    const inSmtp = fields.filter((field) => !own.includes(field));
    expect(inSmtp.length).toBeGreaterThan(15);
    const names = mapped.map((name) => name.replace('[]', ''));
    expect(inSmtp.filter((field) => !names.includes(field))).toEqual([]);
  });

  test('names no field that the API does not have', () => {
    const document = readDocument('docs/openapi.json').text;
    const words = mapped.filter((name) => /^[a-z]+(?:[A-Z][a-z]+)*(?:\[\])?$/.test(name));
    expect(words.length).toBeGreaterThan(15);
    expect(words.filter((name) => !document.includes(`"${name.replace('[]', '')}"`))).toEqual([]);
  });
});

describe('the table of SMTP2Graph', () => {
  /** Every option of its configuration, as its class Config reads them. https://github.com/SMTP2Graph/SMTP2Graph/blob/main/src/classes/Config.ts */
  const OPTIONS = [
    'mode: full',
    'mode: receive',
    'mode: send',
    'send.mode: eml',
    'send.mode: json',
    ...['tenant', 'id', 'secret', 'certificate'].map((name) => `send.appReg.${name}`),
    'thumbprint',
    'privateKeyPath',
    ...['retryLimit', 'retryInterval', 'forceMailbox'].map((name) => `send.${name}`),
    ...['port', 'listenAddress', 'secure', 'tlsKeyPath', 'tlsCertPath', 'maxSize', 'banner'].map(
      (name) => `receive.${name}`,
    ),
    ...['ipWhitelist', 'allowedFrom', 'allowedRcpt', 'requireAuth', 'allowInsecureAuth'].map(
      (name) => `receive.${name}`,
    ),
    ...['username', 'password', 'allowedFrom'].map((name) => `receive.users[].${name}`),
    'receive.rateLimit',
    'receive.authLimit',
    'httpProxy',
  ];
  const rows = rowsUnder(smtp2graph.text, 'What maps');

  test('has every option of its configuration file', () => {
    const named = inlineCodeOf(smtp2graph);
    expect(OPTIONS.filter((option) => !named.includes(option))).toEqual([]);
  });

  test('says of each one what takes its place', () => {
    for (const [option, door = '', relay = ''] of rows) expect(`${door}${relay}`, option).not.toBe('');
  });

  test('names settings of the relay that exist', () => {
    const names = rows.flatMap(([, , cell]) => codeIn(cell)).filter((code) => /^[A-Z_]+$/.test(code));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !(name in settingsTable) && !(name in catalogue))).toEqual([]);
  });

  test('names fields of the configuration of the SMTP door that exist', () => {
    const schema = z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' });
    const exists = (path: string): boolean => {
      let at: Schema | undefined = schema as Schema;
      for (const name of path.replaceAll('[]', '.items').split('.'))
        at = name === 'items' ? at?.items : (at?.properties?.[name] ?? at?.anyOf?.[0]?.properties?.[name]);
      return at !== undefined;
    };
    const named = rows
      .flatMap(([, cell]) => codeIn(cell))
      .filter((code) => /^[a-z]\w*(?:\[\])?(?:\.\w+)?$/.test(code));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((path) => !exists(path))).toEqual([]);
    expect(exists('accounts[].nonsense')).toBe(false);
  });

  test('has a configuration that the SMTP door accepts', () => {
    const configurations = codeBlocksOf(smtp2graph).filter(({ language }) => language === 'json');
    expect(configurations).toHaveLength(1);
    for (const { text } of configurations)
      expect(fileSchema.safeParse(JSON.parse(text)).error?.issues).toBeUndefined();
  });
});

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
};
