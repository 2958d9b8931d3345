import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toCurl } from '../local/welcome.ts';
import packageJson from '../package.json' with { type: 'json' };
import { makePages } from '../scripts/docs-pages.ts';
import { catalogue, type FixedBy } from '../src/lib/error-catalogue.ts';
import { FINAL_STATES } from '../src/lib/ledger/ledger-row.ts';
import { transitions } from '../src/lib/ledger/transitions.ts';
import { mailSchema } from '../src/lib/mail/mail-schema.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';
import { settingsTable } from '../src/lib/settings/settings.ts';
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
const api = readDocument('docs/api.md');
const states = readDocument('docs/message-states.md');
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
  const diagram = codeBlocksOf(architecture).find(({ text }) => text.startsWith('stateDiagram'))?.text ?? '';
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
});

describe('docs/message-states.md', () => {
  test('explains every state of the ledger, and no other', () => {
    expect(
      firstCellsUnder(states, 'States')
        .map((cell) => cell.replaceAll('`', ''))
        .sort(),
    ).toEqual(Object.keys(transitions).sort());
  });

  test('names the states that are final', () => {
    const [, named = ''] = /states are final[^:]*:([^.]*)\./.exec(states.text) ?? [];
    expect([...named.matchAll(/`([\w-]+)`/g)].map(([, state]) => state)).toEqual([...FINAL_STATES]);
  });

  test('explains every way to deal with an unknown outcome, and no other', () => {
    const { onUnknown } = mailSchema.shape;
    const ways = firstCellsUnder(states, 'Unknown outcomes').map((cell) => /`(\w+)`/.exec(cell)?.[1] ?? cell);
    expect(ways.filter((way) => !onUnknown.safeParse(way).success)).toEqual([]);
    expect(ways.sort()).toEqual(['hold', 'resend', 'verify']);
  });
});

test('docs/api.md explains every field of the mail contract, and no other', () => {
  const fields = firstCellsUnder(api, 'The email').flatMap((cell) => cell.replaceAll('`', '').split(', '));
  expect(fields.sort()).toEqual(Object.keys(mailSchema.shape).sort());
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

  test('sends the same mail by PowerShell as by curl', () => {
    const [powerShell = ''] = codeBlocksOf(readme)
      .filter(({ language }) => language === 'powershell')
      .map(({ text }) => text);
    const curl = toCurl({ functionsUrl: 'http://localhost:7071', functionKey: 'local-function-key' });
    const [, mail = ''] = /-d '(.+)'$/m.exec(curl) ?? [];
    for (const part of [`'${mail}'`, 'http://localhost:7071/api/mail', 'local-function-key', 'UTF8.GetBytes'])
      expect(powerShell).toContain(part);
  });

  test('says in this order what it is, what it looks like, how to try it, where to go on and what it is not for', () => {
    const order = [
      /^# Graph Mail Relay$/m,
      /^- \*\*No mailbox passwords/m,
      /docs\/images\/inbox\.png/,
      /^git clone .*\n.*\nnpm ci\nnpm start$/m,
      /^curl /m,
      /"state":"sent"/,
      /<http:\/\/localhost:8025>/,
      /^## Where to go next$/m,
      /^## What it is not for$/m,
    ].map((part) => readme.text.search(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
  });

  test('is short, and leaves the rest to the pages it links to', () => {
    const words = withoutCodeBlocks(readme).split(/\s+/).length;
    expect(words).toBeLessThan(600);
  });

  test('has a badge for the Node.js that package.json asks for', () => {
    const { text } = readDocument('docs/images/badge-node.svg');
    const [, older, newer] = /\^(\d+\.\d+)\.\d+ \|\| \^(\d+)\./.exec(packageJson.engines.node) ?? [];
    expect(text).toContain(`>${older} | ${newer}<`);
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
    const { mails = [JSON.parse(text)] } = JSON.parse(text) as { readonly mails?: readonly unknown[] };
    for (const mail of mails) expect(() => readMail(mail)).not.toThrow();
  });
});

/** A mail has recipients; a problem, a status and an event have none, and a workflow has them in the body of an action. */
function isMail(text: string): boolean {
  return /^\s*\{/.test(text) && /"(to|cc|bcc)"\s*:/.test(text) && !/"runAfter"\s*:/.test(text);
}

test('docs/README.md leads to every page', () => {
  const { text } = readDocument('docs/README.md');
  const pages = documents
    .map(({ path }) => path)
    .filter((path) => /^docs\/(?!README)[^/]+\.md$/.test(path) || path === 'docs/callers/README.md');
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.filter((path) => !text.includes(`](${path.replace('docs/', '')})`))).toEqual([]);
});

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
