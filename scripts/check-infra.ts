import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { BICEP_VERSION, type BicepCli, type BicepRun, findBicep } from './bicep-cli.ts';
import { toPortalTemplate } from './portal-template.ts';
import { wrongUsage } from './wrong-usage.ts';

const usage = `Usage: npm run check:infra [-- --required] [-- --update]

Runs the Bicep compiler over infra/: build, lint and format of every template, the parameter file, and two comparisons
with what is committed: infra/azuredeploy.json, and the snapshots of a deployment in test/infra/snapshots. A warning fails.

  --required  Fails if anything cannot be checked: without it, a missing compiler or extension is only reported.
  --update    Writes infra/azuredeploy.json and the snapshots instead of comparing them.
  --help      Prints this.

The compiler is bicep on the PATH, or the one that az bicep install installed. registration.bicep and consent.bicep use the
Microsoft Graph extension, which the compiler fetches from mcr.microsoft.com. Where that is not possible, name a file with
the published extension (bicep publish-extension):
  export MSGRAPH_BICEP_EXTENSION=/path/to/msgraph-v1.0.tgz`;

const ROOT = join(import.meta.dirname, '..');
const INFRA = join(ROOT, 'infra');
const SNAPSHOTS = join(ROOT, 'test/infra/snapshots');
const PORTAL_TEMPLATE = join(INFRA, 'azuredeploy.json');

/** Answers to what main.bicepparam asks of the environment. */
const EXAMPLE_ENVIRONMENT = {
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.com',
  RELAY_ALERT_RECIPIENTS: 'it@contoso.com',
};

/** Names of resources follow from these. */
const PLACE_OF_SNAPSHOTS = [
  ...['--tenant-id', '11111111-1111-1111-1111-111111111111'],
  ...['--subscription-id', '22222222-2222-2222-2222-222222222222'],
  ...['--resource-group', 'rg-mail-relay'],
  ...['--location', 'westeurope'],
  ...['--deployment-name', 'graph-mail-relay'],
];

type Result = { readonly outcome: 'ok' | 'FAILED' | 'NOT CHECKED'; readonly why?: string };
type Check = readonly [what: string, file: string, run: () => Result];

const toResult = ({ failed, findings, cannotFetch, stdout, stderr }: BicepRun): Result => {
  if (cannotFetch.length > 0) return { outcome: 'NOT CHECKED', why: cannotFetch.join('\n') };
  if (findings.length > 0) return { outcome: 'FAILED', why: findings.join('\n') };
  return failed ? { outcome: 'FAILED', why: `${stderr}\n${stdout}`.trim() } : { outcome: 'ok' };
};

const namesIn = (folder: string, ending: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort();

/** bicepconfig.json with the extension of the environment in place of the one in Microsoft's registry. */
const configOptions = (scratch: string, extension: string | undefined): readonly string[] => {
  if (!extension) return [];
  const config = JSON.parse(readFileSync(join(INFRA, 'bicepconfig.json'), 'utf8')) as { extensions: object };
  const file = join(scratch, 'bicepconfig.json');
  writeFileSync(file, JSON.stringify({ ...config, extensions: { microsoftGraphV1: extension } }));
  return ['--config', file];
};

/** In a copy, so that one call formats all files and changes none. */
const checkFormat = (bicep: BicepCli, scratch: string): readonly Check[] => {
  const copy = join(scratch, 'format');
  cpSync(INFRA, join(copy, 'infra'), { recursive: true });
  cpSync(SNAPSHOTS, join(copy, 'test/infra/snapshots'), { recursive: true });
  const files = readdirSync(copy, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.bicep(?:param)?$/.test(path))
    .sort();
  let formatted: BicepRun | undefined;
  return files.map((file) => [
    'format',
    join(ROOT, file),
    () => {
      formatted ??= bicep.run('format', ['--pattern', join(copy, '**/*.bicep*')]);
      if (formatted.failed) return toResult(formatted);
      return readFileSync(join(copy, file), 'utf8') === readFileSync(join(ROOT, file), 'utf8')
        ? { outcome: 'ok' }
        : { outcome: 'FAILED', why: `To format it: bicep format ${file}` };
    },
  ]);
};

/** The compiler writes the outputs in another order each time. */
const sortOutputs = (file: string): void => {
  const { outputs, ...snapshot } = JSON.parse(readFileSync(file, 'utf8')) as { outputs: object };
  const sorted = Object.fromEntries(
    Object.entries(outputs).sort(([one], [other]) => one.localeCompare(other)),
  );
  writeFileSync(file, `${JSON.stringify({ ...snapshot, outputs: sorted }, null, 2)}\n`);
};

const compareWithCommitted = (written: string): Result =>
  readFileSync(PORTAL_TEMPLATE, 'utf8') === written
    ? { outcome: 'ok' }
    : {
        outcome: 'FAILED',
        why: 'It is not what main.bicep compiles to. To write it: npm run check:infra -- --update',
      };

const checksOf = (bicep: BicepCli, scratch: string, isUpdate: boolean): readonly Check[] => {
  const config = configOptions(scratch, process.env.MSGRAPH_BICEP_EXTENSION);
  const templates = namesIn(INFRA, '.bicep').map((name) => join(INFRA, name));
  const parameters = namesIn(INFRA, '.bicepparam').map((name) => join(INFRA, name));
  const snapshots = namesIn(SNAPSHOTS, '.bicepparam').map((name) => join(SNAPSHOTS, name));
  const compiled = new Map<string, BicepRun>();
  const build = (file: string): BicepRun => {
    const run = compiled.get(file) ?? bicep.run('build', [file, '--stdout', ...config]);
    compiled.set(file, run);
    return run;
  };
  const checkPortalTemplate = (): Result => {
    const { failed, stdout } = build(join(INFRA, 'main.bicep'));
    if (failed) return { outcome: 'FAILED', why: 'main.bicep does not compile.' };
    const written = toPortalTemplate(stdout);
    if (isUpdate) writeFileSync(PORTAL_TEMPLATE, written);
    return compareWithCommitted(written);
  };
  const checkSnapshot = (file: string): Result => {
    const run = bicep.run(
      'snapshot',
      [file, '--mode', isUpdate ? 'overwrite' : 'validate', ...PLACE_OF_SNAPSHOTS],
      {
        NO_COLOR: '1',
      },
    );
    if (isUpdate && !run.failed) sortOutputs(file.replace(/\.bicepparam$/, '.snapshot.json'));
    const result = toResult(run);
    // Findings of the compiler come first: a snapshot of a template with warnings says little.
    return result.outcome === 'FAILED' && run.findings.length === 0
      ? { ...result, why: `${result.why}\nIf the change is intended: npm run check:infra -- --update` }
      : result;
  };

  return [
    ...templates.map((file) => ['build', file, () => toResult(build(file))] as const),
    ...templates.map((file) => ['lint', file, () => toResult(bicep.run('lint', [file, ...config]))] as const),
    ...checkFormat(bicep, scratch),
    ...parameters.map(
      (file) =>
        [
          'build-params',
          file,
          () => toResult(bicep.run('build-params', [file, '--stdout'], EXAMPLE_ENVIRONMENT)),
        ] as const,
    ),
    ...snapshots.map((file) => ['snapshot', file, () => checkSnapshot(file)] as const),
    ['compare', PORTAL_TEMPLATE, checkPortalTemplate] as const,
  ];
};

/** Runs every check; true if all of them ran and passed. */
const runChecks = (checks: readonly Check[], version: string): 'passed' | 'failed' | 'incomplete' => {
  const count = { ok: 0, FAILED: 0, 'NOT CHECKED': 0 };
  for (const [what, file, run] of checks) {
    const { outcome, why } = run();
    count[outcome] += 1;
    console.log(`${outcome.padEnd('NOT CHECKED'.length)}  ${what} ${relative(ROOT, file)}`);
    if (why) console.log(why);
  }
  if (count.FAILED > 0 && version !== BICEP_VERSION)
    console.log(
      `The snapshots and azuredeploy.json were written with Bicep ${BICEP_VERSION}; this is ${version}. To install it: ` +
        `az bicep install --version v${BICEP_VERSION}`,
    );
  const incomplete = count['NOT CHECKED'];
  const notChecked =
    incomplete > 0
      ? ` ${incomplete} of ${checks.length} could not be checked: see NOT CHECKED above, and --help.`
      : '';
  console.log(
    count.FAILED > 0
      ? `${count.FAILED} of ${checks.length} checks failed.${notChecked}`
      : `${count.ok} of ${checks.length} checks passed.${notChecked}`,
  );
  if (count.FAILED > 0) return 'failed';
  return incomplete > 0 ? 'incomplete' : 'passed';
};

const main = (): number => {
  const { values } = parseArgs({
    options: {
      required: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const bicep = findBicep();
  if (bicep === undefined) {
    console.log('To install Bicep: az bicep install, or https://aka.ms/bicep-install');
    console.log(
      'NOTHING WAS CHECKED: Bicep is not installed, so neither compiler nor linter looked at infra/.',
    );
    return values.required || values.update ? 1 : 0;
  }
  console.log(`Bicep ${bicep.version}`);
  const scratch = mkdtempSync(join(tmpdir(), 'check-infra-'));
  try {
    const outcome = runChecks(checksOf(bicep, scratch, values.update), bicep.version);
    return outcome === 'failed' || (outcome === 'incomplete' && values.required) ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof TypeError && 'code' in error)) throw error;
  console.error(wrongUsage(error.message, 'npm run check:infra'));
  process.exitCode = 2;
}
