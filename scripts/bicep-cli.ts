import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** With it the committed snapshots and azuredeploy.json were written. Another version can write them differently. */
export const BICEP_VERSION = '0.49.2';

export type BicepCli = {
  /** The program, as it was found. */
  readonly command: string;
  readonly version: string;
  readonly run: (
    verb: string,
    args: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ) => BicepRun;
};

export type BicepRun = {
  readonly failed: boolean;
  /** Errors and warnings, each on a line. */
  readonly findings: readonly string[];
  /** What could not be fetched. Then nothing is known of the template, and the other findings follow from this one. */
  readonly cannotFetch: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
};

const MINUTE_MS = 60_000;

/** Where `az bicep install` puts the compiler. To ask az itself could download one. */
const installedByAz = (environment: NodeJS.ProcessEnv): string =>
  join(environment.AZURE_CONFIG_DIR || join(environment.HOME || homedir(), '.azure'), 'bin', 'bicep');

/** Undefined if there is no Bicep CLI, neither on the path nor where az installs it. */
export const findBicep = (environment: NodeJS.ProcessEnv = process.env): BicepCli | undefined => {
  for (const command of ['bicep', installedByAz(environment)]) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', env: environment });
    if (status === 0)
      return {
        command,
        version: /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim(),
        run: (verb, args, more = {}) => runBicep(command, [verb, ...args], { ...environment, ...more }),
      };
  }
  return undefined;
};

const runBicep = (command: string, args: readonly string[], environment: NodeJS.ProcessEnv): BicepRun => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: environment,
    timeout: 5 * MINUTE_MS,
    // A compiled template is larger than the default.
    maxBuffer: 100_000_000,
  });
  const findings = readFindings(`${stdout}\n${stderr}`);
  return {
    failed: status !== 0,
    findings,
    cannotFetch: findings.filter((finding) => CANNOT_FETCH.test(finding)),
    stdout: stdout ?? '',
    stderr: stderr ?? '',
  };
};

/** `file(line,column) : Warning code: message`. */
const FINDING = /\S*\(\d+,\d+\) : (?:Error|Warning) \S+?: .*$/;

/** "Unable to restore the artifact": https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-core-diagnostics */
const CANNOT_FETCH = / : Error BCP19[02]: /;

/** The errors and warnings in what the compiler prints, without what else it says. */
export const readFindings = (output: string): readonly string[] =>
  output.split(/\r?\n/).flatMap((line) => FINDING.exec(line)?.[0] ?? []);
