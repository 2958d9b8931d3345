import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCoreApi, createRegistrations } from '../local/functions-host/core-api.ts';
import { loadApp } from '../local/functions-host/load-app.ts';
import packageJson from '../package.json' with { type: 'json' };
import { bundle } from '../scripts/bundle.ts';
import { FACADES } from '../src/lib/facades/facade.ts';
import { isNamedConnection } from '../src/lib/settings/connections.ts';
import {
  firstCellsUnder,
  inlineCodeOf,
  ROOT,
  readCode,
  readDocument,
  readDocuments,
} from './support/documents.ts';

const architecture = readDocument('docs/architecture.md');
const byPath = readDocuments().map((document) => [document.path, document] as const);

describe('what is named exists', () => {
  const code = readCode();
  const words = new Set(code.match(/[A-Za-z_]\w*/g));

  /** Names that are no names of ours: a pattern, and the variables in which callers, receivers and operators keep their keys. */
  const ELSEWHERE = new Set<string>([
    'SUBJECT_PROBLEM',
    'MAIL_RELAY_URL',
    'MAIL_RELAY_KEY',
    'MAIL_RELAY_CLIENT_ID',
    'AZURE_AUTHORITY_HOST',
    'AZURE_CLIENT_SECRET',
    'MAIL_RELAY_MASTER_KEY',
    'WEBHOOK_SECRET',
  ]);
  const unknown = (names: Iterable<string>) =>
    [...new Set(names)].filter(
      // Whoever declares a connection gives it its name.
      (name) => !words.has(name) && !ELSEWHERE.has(name) && !isNamedConnection(name),
    );

  /** Pages for callers speak of the names of other languages too, and those for a move of the names of other products. */
  const isForCallers = (path: string): boolean => /^docs\/(?:callers|migrate)\//.test(path);
  const ours = byPath.filter(([path]) => !isForCallers(path));
  const forCallers = byPath.filter(([path]) => isForCallers(path));
  const CAPITALS = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g;

  test.each(ours)(
    '%s: names in capitals are settings, error codes or variables of the code',
    (_, { text }) => {
      expect(unknown(text.match(CAPITALS) ?? [])).toEqual([]);
    },
  );

  test.each(forCallers)('%s: settings and error codes in its text exist', (_, document) => {
    expect(unknown(inlineCodeOf(document).join(' ').match(CAPITALS) ?? [])).toEqual([]);
  });

  test.each(ours)('%s: functions, events and identifiers in backticks occur in the code', (_, document) => {
    expect(
      unknown(inlineCodeOf(document).filter((text) => /^[A-Za-z][a-z]+(?:[A-Z][a-z]+)+$/.test(text))),
    ).toEqual([]);
  });

  test.each(byPath)('%s: npm scripts and files to run are there', (_, { text }) => {
    const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    expect(scripts.filter((name) => !(name in packageJson.scripts))).toEqual([]);
    const files = [...text.matchAll(/\bnode ((?:[\w.-]+\/)*[\w.-]+\.[cm]?[jt]s)\b/g)].map(
      ([, file = '']) => file,
    );
    // Made by npm run package and package:clients, for those who have no checkout.
    const made = ['mail-relay.mjs', 'smtp-door.mjs', 'dist/smtp-door/smtp-door.mjs'];
    expect(files.filter((file) => !made.includes(file) && !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe('functions, routes and events', async () => {
  const app = await readApp();

  test('docs/architecture.md has the functions of the bundle, and no other', () => {
    const named = firstCellsUnder(architecture, 'Functions').map((cell) => cell.replaceAll('`', ''));
    expect(named.sort()).toEqual(app.map(({ name }) => name).sort());
  });

  test.each(byPath)('%s: every call to the relay is registered', (_, { text }) => {
    // The inbox has an address of its own, and its calls have a test of their own.
    const ofRelay = text
      .split(/^### Its API$/m)
      .map((part, at) => (at === 0 ? part : part.slice(part.search(/^## /m))));
    const named = [
      ...ofRelay.join('').matchAll(/\b(GET|POST|PUT|PATCH|DELETE) (\/api\/(?:[\w/-]|\.\w|\{\*?\w+\??\})+)/g),
    ];
    const registered = app.flatMap(({ calls }) => calls);
    // Calls of other providers are registered by their first part, and only where a setting lists them; their own tests make them.
    const ofFacade = new RegExp(`^\\w+ /api/(?:${FACADES.join('|')})(?:/|$)`);
    expect(
      named.map(([call]) => call).filter((call) => !registered.includes(call) && !ofFacade.test(call)),
    ).toEqual([]);
  });

  test('docs/api.md explains every route', () => {
    const { text } = readDocument('docs/api.md');
    const registered = app.flatMap(({ calls }) => calls);
    expect(registered.filter((call) => !text.includes(call))).toEqual([]);
  });

  test('docs/architecture.md has every event of the log, and no other', () => {
    const source = readDocument('src/lib/log.ts').text.split('export type Log =')[0] ?? '';
    const events = [...source.matchAll(/event: ((?:'\w+'(?: \| )?)+)/g)].flatMap(([, names = '']) =>
      [...names.matchAll(/'(\w+)'/g)].map(([, name = '']) => name),
    );
    const named = firstCellsUnder(architecture, 'The log').flatMap((cell) =>
      cell.replaceAll('`', '').split(', '),
    );
    expect(named.sort()).toEqual(events.sort());
  });
});

type Registered = { readonly name: string; readonly calls: readonly string[] };

/** Loads the bundle as the Functions worker does. */
async function readApp(): Promise<readonly Registered[]> {
  const folder = await mkdtemp(join(tmpdir(), 'docs-'));
  try {
    await bundle(join(folder, 'dist'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ main: 'dist/main.cjs' }));
    const registrations = createRegistrations();
    const core = createCoreApi(registrations, () => undefined);
    (await loadApp(folder, core, registrations)).unload();
    return [...registrations.functions.values()].map(({ metadata: { name, bindings } }) => {
      const trigger = Object.values(bindings).find(({ type }) => type === 'httpTrigger');
      const methods = (trigger?.methods ?? []) as readonly string[];
      return { name, calls: methods.map((method) => `${method} /${trigger?.route}`) };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
