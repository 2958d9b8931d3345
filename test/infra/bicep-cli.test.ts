import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFindings } from '../../scripts/bicep-cli.ts';

const CHECK = join(import.meta.dirname, '../../scripts/check-infra.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bicep-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A command that answers as the text of a JavaScript function body says: `args` in, { out, err, status } back. */
const putCommand = (name: 'bicep' | 'az', body: string): void => {
  writeFileSync(
    join(folder, name),
    `#!${process.execPath}
const args = process.argv.slice(2);
require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'calls'))}, ${JSON.stringify(name)} + ' ' + args.join(' ') + '\\n');
const { out = '', err = '', status = 0 } = (() => { ${body} })() ?? {};
process.stdout.write(out);
process.stderr.write(err);
process.exitCode = status;
`,
    { mode: 0o755 },
  );
};

/** Only the commands in the folder can be found. */
const checkInfra = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK, ...args], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  return { status, said: stdout + stderr };
};

const calls = (): string => readFileSync(join(folder, 'calls'), 'utf8');

test('without Bicep it says that nothing was looked at, and passes', () => {
  const { status, said } = checkInfra();
  expect(said).toContain('Bicep is NOT installed, so neither compiler nor linter looked at infra/.');
  expect(status).toBe(0);
});

test('without Bicep, --required fails', () => {
  expect(checkInfra('--required').status).toBe(1);
});

test('every template is built and linted, and the parameter file compiled', () => {
  putCommand('bicep', "if (args[0] === '--version') return { out: 'Bicep CLI version 0.41.2 (abc)' };");
  const { status, said } = checkInfra();
  expect(said).toContain('Bicep 0.41.2 (bicep)');
  expect(status).toBe(0);
  for (const file of ['main.bicep', 'registration.bicep', 'consent.bicep'])
    for (const verb of ['build', 'lint']) expect(said).toContain(`ok      ${verb} infra/${file}`);
  expect(said).toContain('ok      build-params infra/main.bicepparam');
});

test('a warning fails, although the compiler itself is content', () => {
  putCommand(
    'bicep',
    `if (args[0] === 'lint' && args[1].endsWith('main.bicep'))
      return { err: args[1] + '(3,7) : Warning no-unused-params: Parameter "x" is declared but never used.\\n' };`,
  );
  const { status, said } = checkInfra();
  expect(said).toContain('FAILED  lint infra/main.bicep');
  expect(said).toContain('main.bicep(3,7) : Warning no-unused-params');
  expect(status).toBe(1);
});

test('a failure that is no finding is shown as it was said', () => {
  putCommand(
    'bicep',
    "if (args[0] === 'build') return { err: 'Unable to restore the extension.', status: 1 };",
  );
  const { status, said } = checkInfra();
  expect(said).toContain('Unable to restore the extension.');
  expect(status).toBe(1);
});

test('az bicep serves as well, but only where it has Bicep already', () => {
  putCommand(
    'az',
    "return args.join(' ') === 'bicep version' ? { out: 'Bicep CLI version 0.40.1' } : undefined;",
  );
  expect(checkInfra().said).toContain('Bicep 0.40.1 (az bicep)');
  expect(calls()).toMatch(/^az bicep build --file \S+main\.bicep --stdout$/m);

  putCommand('az', 'return { status: 1 };');
  expect(checkInfra('--required').status).toBe(1);
});

test('findings are found whoever prints them', () => {
  expect(
    readFindings(
      [
        'WARNING: /a/main.bicep(1,7) : Warning BCP318: The value may be null. [https://aka.ms/bicep/core-diagnostics#BCP318]',
        '/a/main.bicep(2,1) : Error BCP007: This declaration type is not recognized.',
        'WARNING: A new Bicep release is available: v0.50.1.',
        '{ "$schema": "https://schema.management.azure.com/" }',
      ].join('\r\n'),
    ),
  ).toEqual([
    '/a/main.bicep(1,7) : Warning BCP318: The value may be null. [https://aka.ms/bicep/core-diagnostics#BCP318]',
    '/a/main.bicep(2,1) : Error BCP007: This declaration type is not recognized.',
  ]);
});
