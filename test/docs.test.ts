import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toCurl } from '../local/welcome.ts';
import { makePages } from '../scripts/docs-pages.ts';
import { catalogue, type FixedBy } from '../src/lib/error-catalogue.ts';
import { transitions } from '../src/lib/ledger/ledger-row.ts';
import { mailSchema } from '../src/lib/mail/mail-schema.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';
import { settingsTable } from '../src/lib/settings.ts';
import {
  anchorsOf,
  codeBlocksOf,
  type Document,
  firstCellsUnder,
  ROOT,
  readDocument,
  readDocuments,
  withoutCodeBlocks,
} from './support/documents.ts';

const documents = readDocuments();
const readme = readDocument('README.md');
const architecture = readDocument('docs/architecture.md');
const byPath = documents.map((document) => [document.path, document] as const);

describe('pages written from tables', () => {
  test.each(makePages().map((page) => [page.path, page] as const))(
    '%s is as the table says',
    (path, page) => {
      expect(readDocument(path).text, `${path} is behind its table. Run: npm run docs`).toBe(page.text);
    },
  );

  test('docs/errors.md has one heading for each code, under who fixes it, and no other', () => {
    const sections = readDocument('docs/errors.md').text.split(/^## /m).slice(1);
    const found = sections.map((section) => [
      section.split('\n')[0] ?? '',
      [...section.matchAll(/^### (.+)$/gm)].map(([, code]) => code),
    ]);
    const codesOf = (who: FixedBy) =>
      Object.entries(catalogue).flatMap(([code, { fixedBy }]) => (fixedBy === who ? [code] : []));
    expect(found).toEqual([
      ['Fixed by the caller', codesOf('caller')],
      ['Fixed by an administrator', codesOf('administrator')],
      ['Fixed by time', codesOf('time')],
    ]);
  });

  test('docs/settings.md has one row for each setting, and no other', () => {
    const rows = firstCellsUnder({ path: '', text: `## x\n${readDocument('docs/settings.md').text}` }, 'x');
    expect(rows).toEqual(Object.keys(settingsTable).map((name) => `\`${name}\``));
  });
});

describe('the diagram of the ledger', () => {
  const diagram = codeBlocksOf(architecture).find(({ language }) => language === 'mermaid')?.text ?? '';
  const steps = [...diagram.matchAll(/^\s*(\S+) --> ([^\s:]+)/gm)].map(([, from = '', to = '']) =>
    [from, to].map((state) => state.replace('_', '-')),
  );
  const fromTo = (pairs: readonly (readonly string[])[]) => pairs.map((pair) => pair.join(' to ')).sort();

  test('shows every legal transition, and no other', () => {
    const legal = Object.entries(transitions).flatMap(([from, to]) => to.map((state) => [from, state]));
    expect(fromTo(steps.filter((pair) => !pair.includes('[*]')))).toEqual(fromTo(legal));
  });

  test('ends where no transition leads on', () => {
    const ends = Object.entries(transitions).flatMap(([state, to]) =>
      to.length === 0 ? [[state, '[*]']] : [],
    );
    expect(fromTo(steps.filter(([, to]) => to === '[*]'))).toEqual(fromTo(ends));
  });

  test('has the states the README explains', () => {
    expect(
      firstCellsUnder(readme, 'What happens to a mail')
        .map((cell) => cell.replaceAll('`', ''))
        .sort(),
    ).toEqual(Object.keys(transitions).sort());
  });
});

describe('the README', () => {
  const commands = (document: Document) =>
    codeBlocksOf(document)
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text);

  test('shows the request that npm start prints', () => {
    const curl = toCurl({ functionsUrl: 'http://localhost:7071', functionKey: 'local-function-key' });
    expect(commands(readme)).toContain(`${curl}\n`);
  });

  test('names the test command', () => {
    expect(commands(readme)).toContain('npm ci && npm test\n');
  });

  test('explains every field of the mail contract, and no other', () => {
    const fields = firstCellsUnder(readme, 'The mail').flatMap((cell) =>
      cell.replaceAll('`', '').split(', '),
    );
    expect(fields.sort()).toEqual(Object.keys(mailSchema.shape).sort());
  });

  test('says before its first heading what it is, and how to try it', () => {
    const opening = readme.text.split('\n## ')[0] ?? '';
    for (const part of ['docs/images/relay.svg', 'npm ci\nnpm start\n', 'curl ', '"state":"sent"'])
      expect(opening).toContain(part);
    expect(opening.split('\n').length).toBeLessThan(50);
  });
});

describe('every mail in an example can be sent', () => {
  const examples = documents.flatMap((document) =>
    codeBlocksOf(document).flatMap(({ language, text }) => [
      ...(language === 'json' && isMail(text) ? [[document.path, text] as const] : []),
      ...[...text.matchAll(/-d '([^']+)'(?! # refused)/g)].flatMap(([, data = '']) =>
        isMail(data) ? [[document.path, data] as const] : [],
      ),
      ...[...text.matchAll(/-d @(\S+)/g)].map(
        ([, file = '']) => [`${document.path}: ${file}`, readFileSync(join(ROOT, file), 'utf8')] as const,
      ),
    ]),
  );

  test('there are examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(2);
  });

  test.each(examples)('%s', (_path, text) => {
    expect(() => readMail(JSON.parse(text))).not.toThrow();
  });
});

/** A mail has recipients; a problem, a status and an event have none. */
function isMail(text: string): boolean {
  return /^\s*\{/.test(text) && /"(to|cc|bcc)"\s*:/.test(text);
}

describe('links lead somewhere', () => {
  test.each(byPath)('%s', (path, document) => {
    const text = withoutCodeBlocks(document).replaceAll(/`[^`\n]*`/g, '');
    const targets = [
      ...[...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
      ...[...text.matchAll(/<(?:img|a)[^>]*(?:src|href)="([^"]+)"/g)].map(([, target = '']) => target),
    ].filter((target) => !/^[a-z]+:/.test(target));
    expect(targets.filter((target) => !leadsSomewhere(path, target))).toEqual([]);
  });
});

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || anchorsOf(readDocument(path)).has(decodeURIComponent(anchor));
}
