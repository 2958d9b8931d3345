import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFindings } from '../../scripts/bicep-cli.ts';
import { toPortalTemplate } from '../../scripts/portal-template.ts';

const CHECK = join(import.meta.dirname, '../../scripts/check-infra.ts');
const PORTAL_TEMPLATE = join(import.meta.dirname, '../../infra/azuredeploy.json');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bicep-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A compiler that answers as the text of a JavaScript function body says: `args` in, { out, err, status } back. */
const putBicep = (body: string, path = 'bicep'): void => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `#!${process.execPath}
const args = process.argv.slice(2);
require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'calls'))}, args.join(' ') + '\\n');
const { out = '', err = '', status = 0 } = (() => {
  if (args[0] === '--version') return { out: 'Bicep CLI version 0.49.2 (abc)' };
  ${body}
  // What main.bicep was compiled to is what is committed.
  if (args[0] === 'build') return { out: require('node:fs').readFileSync(${JSON.stringify(PORTAL_TEMPLATE)}, 'utf8') };
})() ?? {};
process.stdout.write(out);
process.stderr.write(err);
process.exitCode = status;
`,
    { mode: 0o755 },
  );
};

/** Only the commands in the folder can be found. */
const checkInfra = (args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK, ...args], {
    encoding: 'utf8',
    env: { PATH: folder, HOME: folder, ...environment },
  });
  return { status, said: stdout + stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
};

const calls = (): string => readFileSync(join(folder, 'calls'), 'utf8');

test('without Bicep the last line says that nothing was checked', () => {
  const { status, lastLine } = checkInfra();
  expect(lastLine).toBe(
    'NOTHING WAS CHECKED: Bicep is not installed, so neither compiler nor linter looked at infra/.',
  );
  expect(status).toBe(0);
});

test.each(['--required', '--update'])('without Bicep, %s fails', (option) => {
  expect(checkInfra([option]).status).toBe(1);
});

test('every template is built, linted and formatted, the parameter file compiled, and what is committed compared', () => {
  putBicep('');
  const { status, said, lastLine } = checkInfra();
  for (const file of ['main', 'registration', 'consent'])
    for (const verb of ['build', 'lint', 'format'])
      expect(said).toContain(`ok           ${verb} infra/${file}.bicep`);
  expect(said).toContain('ok           format infra/modules/storage.bicep');
  expect(said).toContain('ok           build-params infra/main.bicepparam');
  for (const set of ['defaults', 'every-option'])
    expect(said).toContain(`ok           snapshot test/infra/snapshots/${set}.bicepparam`);
  expect(said).toContain('ok           compare infra/azuredeploy.json');
  expect(lastLine).toMatch(/^(\d+) of \1 checks passed\.$/);
  expect(status).toBe(0);
  expect(calls()).toMatch(
    /^snapshot \S+defaults\.bicepparam --mode validate --tenant-id \S+ --subscription-id \S+ /m,
  );
});

test('a warning fails, although the compiler itself is content', () => {
  putBicep(
    `if (args[0] === 'lint' && args[1].endsWith('main.bicep'))
      return { err: args[1] + '(3,7) : Warning no-unused-params: Parameter "x" is declared but never used.\\n' };`,
  );
  const { status, said, lastLine } = checkInfra();
  expect(said).toContain('FAILED       lint infra/main.bicep');
  expect(said).toContain('main.bicep(3,7) : Warning no-unused-params');
  expect(lastLine).toMatch(/^1 of \d+ checks failed\.$/);
  expect(status).toBe(1);
});

test('a failure that is no finding is shown as it was said', () => {
  putBicep("if (args[0] === 'build') return { err: 'Unable to open the file.', status: 1 };");
  const { status, said } = checkInfra();
  expect(said).toContain('Unable to open the file.');
  expect(status).toBe(1);
});

test('a file that the formatter would write differently fails', () => {
  putBicep(
    `if (args[0] === 'format') {
      const file = args[2].replace('**/*.bicep*', 'infra/main.bicep');
      require('node:fs').appendFileSync(file, '\\n');
    }`,
  );
  const { status, said } = checkInfra();
  expect(said).toContain('FAILED       format infra/main.bicep\nTo format it: bicep format infra/main.bicep');
  expect(said).toContain('ok           format infra/consent.bicep');
  expect(status).toBe(1);
});

test('a snapshot that differs fails, and the difference is shown', () => {
  putBicep(
    `if (args[0] === 'snapshot' && args[1].endsWith('defaults.bicepparam'))
      return { err: 'Snapshot validation failed.', out: '~ properties.accessTier', status: 1 };`,
  );
  const { status, said } = checkInfra();
  expect(said).toContain('FAILED       snapshot test/infra/snapshots/defaults.bicepparam');
  expect(said).toContain('~ properties.accessTier');
  expect(said).toContain('npm run check:infra -- --update');
  expect(status).toBe(1);
});

test('an azuredeploy.json that is not what main.bicep compiles to fails, whatever version of Bicep compiled it', () => {
  putBicep("if (args[0] === 'build') return { out: JSON.stringify({ resources: {} }) };");
  const { status, said } = checkInfra();
  expect(said).toContain('FAILED       compare infra/azuredeploy.json');
  expect(status).toBe(1);
  expect(
    toPortalTemplate(
      '{"metadata":{"name":"x","_generator":{"version":"1","templateHash":"2"}},"a":[{"_generator":3}]}',
    ),
  ).toBe('{\n  "metadata": {\n    "name": "x"\n  },\n  "a": [\n    {}\n  ]\n}\n');
});

test('an extension that cannot be fetched leaves templates unchecked, and the last line says so', () => {
  const cannotFetch = `if (/^(build|lint)$/.test(args[0]) && !args[1].endsWith('main.bicep'))
    return { err: args[1] + '(6,11) : Error BCP192: Unable to restore the artifact.\\n' + args[1] + '(9,1) : Error BCP029: The resource type is not valid.\\n', status: 1 };`;
  putBicep(cannotFetch);
  const { status, said, lastLine } = checkInfra();
  expect(said).toContain('NOT CHECKED  build infra/consent.bicep');
  expect(said).toContain('Unable to restore the artifact.');
  expect(said).not.toContain('BCP029');
  expect(lastLine).toMatch(
    /^\d+ of \d+ checks passed\. 4 of \d+ could not be checked: see NOT CHECKED above, and --help\.$/,
  );
  expect(status).toBe(0);
  expect(checkInfra(['--required']).status).toBe(1);
});

test('a published extension on this machine stands in for the one in the registry', () => {
  putBicep(
    `const config = args[args.indexOf('--config') + 1];
    if (args[0] === 'build') process.stderr.write(require('node:fs').readFileSync(config, 'utf8'));
    if (args[0] === 'build' && args[1].endsWith('consent.bicep')) return { err: 'read', status: 1 };`,
  );
  const { said } = checkInfra([], { MSGRAPH_BICEP_EXTENSION: '/extensions/msgraph.tgz' });
  expect(said).toContain('"extensions":{"microsoftGraphV1":"/extensions/msgraph.tgz"}');
  expect(said).toContain('"no-hardcoded-location"');
});

test('the compiler that az installed serves as well', () => {
  putBicep('', '.azure/bin/bicep');
  expect(checkInfra().said).toContain('Bicep 0.49.2');
  rmSync(join(folder, '.azure'), { recursive: true });
  putBicep('', 'elsewhere/bin/bicep');
  expect(checkInfra([], { AZURE_CONFIG_DIR: join(folder, 'elsewhere') }).said).toContain('Bicep 0.49.2');
});

test('another version of Bicep than that of the snapshots is named where something fails', () => {
  putBicep("if (args[0] === 'snapshot') return { err: 'Snapshot validation failed.', status: 1 };");
  expect(checkInfra().said).not.toContain('az bicep install --version');
  const file = join(folder, 'bicep');
  writeFileSync(file, readFileSync(file, 'utf8').replace('0.49.2', '0.36.1'));
  expect(checkInfra().said).toContain('this is 0.36.1. To install it: az bicep install --version v0.49.2');
});

test('a wrong option is named', () => {
  const { status, said } = checkInfra(['--requird']);
  expect(said).toContain("Unknown option '--requird'.");
  expect(status).toBe(2);
});

test('findings are found among what else the compiler prints', () => {
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
