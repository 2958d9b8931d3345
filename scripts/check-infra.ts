// Runs the real Bicep compiler and linter over infra/: npm run check:infra [-- --required]
// A warning fails. Where there is no Bicep CLI it says so and passes; with --required it fails then too.

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BicepRun, findBicep } from './bicep-cli.ts';

const ROOT = join(import.meta.dirname, '..');
const INFRA = join(ROOT, 'infra');

/** Answers to what main.bicepparam asks of the environment. */
const EXAMPLE_ENVIRONMENT = {
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.com',
  RELAY_ALERT_RECIPIENTS: 'it@contoso.com',
};

const isRequired = process.argv.includes('--required');
const bicep = findBicep();

if (bicep === undefined) {
  console.log('Bicep is NOT installed, so neither compiler nor linter looked at infra/.');
  console.log('To have them: az bicep install, or https://aka.ms/bicep-install');
  process.exitCode = isRequired ? 1 : 0;
} else {
  console.log(`Bicep ${bicep.version} (${bicep.command === 'az' ? 'az bicep' : 'bicep'})`);
  const names = readdirSync(INFRA).sort();
  const templates = names.filter((name) => name.endsWith('.bicep')).map((name) => join(INFRA, name));
  const parameters = names.filter((name) => name.endsWith('.bicepparam')).map((name) => join(INFRA, name));
  const checks: readonly (readonly [what: string, file: string, run: () => BicepRun])[] = [
    ...templates.map((file) => ['build', file, () => bicep.build(file)] as const),
    ...templates.map((file) => ['lint', file, () => bicep.lint(file)] as const),
    ...parameters.map(
      (file) => ['build-params', file, () => bicep.buildParameters(file, EXAMPLE_ENVIRONMENT)] as const,
    ),
  ];

  let failures = 0;
  for (const [what, file, run] of checks) {
    const { failed, findings, said } = run();
    const isGood = !failed && findings.length === 0;
    console.log(`${isGood ? 'ok    ' : 'FAILED'}  ${what} ${relative(ROOT, file)}`);
    if (isGood) continue;
    failures += 1;
    console.log(findings.length > 0 ? findings.join('\n') : said);
  }
  if (failures > 0) {
    console.log(
      `${failures} of ${checks.length} checks failed. A warning that is wrong is silenced by #disable-next-line, with the reason beside it.`,
    );
    process.exitCode = 1;
  }
}
