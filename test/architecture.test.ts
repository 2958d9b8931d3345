import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** A line of code in a place where it does not belong, and the words in which the linter refuses it. */
const refused: readonly (readonly [rule: string, file: string, line: string, words: string])[] = [
  ['src never imports local/', 'src/lib/a.ts', "import '../../local/cloud.ts';", 'src is what is deployed'],
  ['src never imports test/', 'src/app.ts', "import '../test/support/a-mail.ts';", 'src is what is deployed'],
  ['src never imports scripts/', 'src/relay.ts', "import '../scripts/bundle.ts';", 'src is what is deployed'],
  [
    'a client shares nothing of the relay but the rules of emails',
    'clients/smtp-door/src/a.ts',
    "import '../../../src/lib/errors.ts';",
    'A client runs beside applications',
  ],
  [
    'adapters never import local/',
    'src/lib/vault/a.ts',
    "import '../../../local/http.ts';",
    'is what is deployed',
  ],
  [
    'a function never imports an adapter',
    'src/functions/b.ts',
    "import '../lib/graph/graph-mail.ts';",
    'A function translates',
  ],
  [
    'a function never imports an SDK',
    'src/functions/c.ts',
    "import '@azure/storage-queue';",
    'A function translates',
  ],
  [
    'a function does no I/O',
    'src/functions/d.ts',
    "import 'node:fs/promises';",
    'A function does no input or output',
  ],
  ['a function never imports the app', 'src/functions/e.ts', "import '../relay.ts';", 'Imports run one way'],
  [
    'a use case never imports an adapter',
    'src/lib/delivery/f.ts',
    "import '../storage/mail-queue.ts';",
    'A use case names the ports',
  ],
  [
    'a use case never imports the type of an adapter',
    'src/lib/credentials/g.ts',
    "import type { Vault } from '../vault/key-vault.ts';",
    'A use case names the ports',
  ],
  [
    'a use case never imports an SDK',
    'src/lib/desk/h.ts',
    "import '@azure/identity';",
    'A use case names the ports',
  ],
  [
    'the operator page never imports an adapter',
    'src/lib/ops/o.ts',
    "import '../storage/mail-queue.ts';",
    'The operator page is drawn from facts',
  ],
  [
    'the operator page never imports a port',
    'src/lib/ops/p.ts',
    "import type { Ports } from '../ports.ts';",
    'The operator page knows nothing of ports',
  ],
  [
    'ports, errors, settings and the log never import an adapter',
    'src/lib/h.ts',
    "import './graph/graph-mail.ts';",
    'A use case names the ports',
  ],
  [
    'a use case never imports a function',
    'src/lib/delivery/i.ts',
    "import '../../functions/problem.ts';",
    'Imports run one way',
  ],
  [
    'what happens to an email knows nothing of what operators ask',
    'src/lib/delivery/i2.ts',
    "import '../desk/mail-status.ts';",
    'The rooms have an order',
  ],
  [
    'mail/ never imports an adapter',
    'src/lib/mail/j.ts',
    "import '../graph/graph-call.ts';",
    'Rules are pure',
  ],
  ['mail/ does no I/O', 'src/lib/mail/k.ts', "import 'node:fs';", 'Rules are pure'],
  [
    'what an email is knows nothing of how it is sent',
    'src/lib/mail/l.ts',
    "import '../sending/send-plan.ts';",
    'The rooms have an order',
  ],
  [
    'rules know nothing of ports',
    'src/lib/sending/l2.ts',
    "import '../ports.ts';",
    'Rules know nothing of ports',
  ],
  [
    'sending/ knows nothing of the ledger',
    'src/lib/sending/m.ts',
    "import '../ledger/ledger-row.ts';",
    'The rooms have an order',
  ],
  [
    'how an email is sent knows nothing of who may send it',
    'src/lib/sending/m2.ts',
    "import '../callers/caller.ts';",
    'The rooms have an order',
  ],
  [
    'who may send knows nothing of the ledger',
    'src/lib/callers/m3.ts',
    "import '../ledger/ledger-row.ts';",
    'The rooms have an order',
  ],
  [
    'the inbox knows nothing of how the relay works',
    'src/lib/inbox/m4.ts',
    "import '../ledger/ledger-row.ts';",
    'The inbox serves the local cloud too',
  ],
  ['the inbox does no I/O', 'src/lib/inbox/m5.ts', "import 'node:fs/promises';", 'The inbox is pure'],
  [
    'the files of the page are all that the inbox reads',
    'src/lib/inbox/page-folder.ts',
    "import 'node:http';",
    'The inbox is pure',
  ],
  [
    'what is measured knows nothing of emails',
    'src/lib/metrics/m6.ts',
    "import '../ledger/ledger-row.ts';",
    'metrics/ knows the events of the log',
  ],
  [
    'ledger/ never imports an adapter',
    'src/lib/ledger/n.ts',
    "import '../storage/ledger-table.ts';",
    'Rules are pure',
  ],
  [
    'ledger/ knows nothing of use cases',
    'src/lib/ledger/n2.ts',
    "import '../delivery/hold.ts';",
    'The rooms have an order',
  ],
  [
    'an adapter imports no use case',
    'src/lib/storage/n3.ts',
    "import type { HoldNeeds } from '../delivery/hold.ts';",
    'An adapter implements a port',
  ],
  [
    'an adapter never imports a trigger',
    'src/lib/graph/o.ts',
    "import '@azure/functions';",
    'An adapter knows nothing of triggers',
  ],
  [
    'an adapter never imports the app',
    'src/lib/storage/p.ts',
    "import '../../app.ts';",
    'Imports run one way',
  ],
  [
    'the environment is read in app.ts only',
    'src/relay.ts',
    'export const a = process.env.A;',
    'The environment is read in src/app.ts only',
  ],
  ['time is passed in', 'src/lib/desk/q.ts', 'export const a = Date.now();', 'Time is passed in'],
  [
    'time is passed in, as a Date too',
    'src/lib/mail/r.ts',
    'export const a = new Date();',
    'Time is passed in',
  ],
  ['chance is passed in', 'src/lib/s.ts', 'export const a = Math.random();', 'Chance is passed in'],
  ['nothing sleeps', 'src/lib/graph/t.ts', 'setTimeout(Boolean, 1);', 'Nothing sleeps in an invocation'],
  [
    'nothing runs beside an invocation',
    'src/lib/u.ts',
    'setInterval(Boolean, 1);',
    'Nothing runs beside an invocation',
  ],
  [
    'only adapters talk to the network',
    'src/lib/v.ts',
    "await fetch('https://a.example');",
    'Only an adapter',
  ],
];

/** The same lines where they belong. */
const allowed: readonly (readonly [rule: string, file: string, line: string])[] = [
  [
    'app.ts reads the environment',
    'src/app.ts',
    'export const a = [process.env, () => new Date(), Math.random];',
  ],
  ['relay.ts knows the adapters', 'src/relay.ts', "import './lib/graph/graph-mail.ts';"],
  ['a function knows its trigger', 'src/functions/w.ts', "import '@azure/functions';"],
  ['a function may hash', 'src/functions/w.ts', "import 'node:crypto';"],
  [
    'a use case imports rules and ports',
    'src/lib/delivery/x.ts',
    "import '../sending/send-plan.ts'; import '../ports.ts';",
  ],
  ['rules import the catalogue', 'src/lib/mail/y.ts', "import '../error-catalogue.ts';"],
  ['a key is hashed', 'src/lib/callers/caller-key.ts', "import 'node:crypto';"],
  ['idempotency hashes', 'src/lib/ledger/identity.ts', "import 'node:crypto';"],
  ['an adapter talks to the network', 'src/lib/graph/z.ts', "await fetch('https://a.example');"],
  ['an adapter knows its SDK', 'src/lib/storage/z.ts', "import '@azure/data-tables';"],
  ['an adapter knows its port', 'src/lib/storage/z2.ts', "import '../ports.ts';"],
  ['a given time is no clock', 'src/lib/mail/z.ts', 'export const a = new Date(0);'],
  ['local/ imports src', 'local/a.ts', "import '../src/lib/settings/settings.ts';"],
];

/** A project with our linter and nothing but these lines. */
async function makeProject(lines: readonly (readonly string[])[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'architecture-'));
  folders.push(folder);
  await cp(join(ROOT, 'biome.json'), join(folder, 'biome.json'));
  await cp(join(ROOT, 'scripts/lint-rules'), join(folder, 'scripts/lint-rules'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [, file = '', line] of lines) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await appendFile(join(folder, file), `${line}\n`);
  }
  return folder;
}

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

type Report = {
  readonly summary: { readonly unchanged: number };
  readonly diagnostics: readonly {
    readonly severity: string;
    readonly message: string;
    readonly location: { readonly path: string };
  }[];
};

/** Runs the linter as `npm run lint` does, without the formatter. It fails when it finds something. */
async function report(cwd: string, path: string): Promise<Report> {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const options = ['lint', '--reporter=json', '--max-diagnostics=none', '--vcs-enabled=false', path];
  const { stdout } = await run(biome, options, { cwd }).catch((failed: { stdout: string }) => failed);
  return JSON.parse(stdout) as Report;
}

/** What the linter has to say against these lines, by file. */
async function lint(lines: readonly (readonly string[])[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const { diagnostics } = await report(await makeProject(lines), '.');
  for (const { severity, message, location } of diagnostics)
    if (severity === 'error') found.set(location.path, `${found.get(location.path) ?? ''}${message}\n`);
  return found;
}

describe('the linter refuses, in a sentence', async () => {
  const said = await lint(refused);
  test.each(refused)('%s', (_rule, file, _line, words) => {
    expect(said.get(file) ?? '').toContain(words);
  });
});

describe('the linter lets pass', async () => {
  const said = await lint(allowed);
  test.each(allowed)('%s', (_rule, file) => {
    expect(said.get(file)).toBeUndefined();
  });
});

test('it looks at every file of src', async () => {
  const files = await readdir(join(ROOT, 'src'), { recursive: true });
  const looked = (await report(ROOT, 'src')).summary;
  expect(looked.unchanged).toBe(files.filter((file) => /\.(?:ts|js|css|html|svg)$/.test(file)).length);
});
