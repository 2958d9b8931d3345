import { spawnSync } from 'node:child_process';

/** Where the Bicep compiler was found: by itself, or as `az bicep`. */
export type BicepCli = {
  readonly command: 'bicep' | 'az';
  readonly version: string;
  readonly build: (file: string) => BicepRun;
  readonly lint: (file: string) => BicepRun;
  readonly buildParameters: (file: string, environment: Readonly<Record<string, string>>) => BicepRun;
};

export type BicepRun = {
  readonly failed: boolean;
  /** Errors and warnings, each on a line. */
  readonly findings: readonly string[];
  /** All that was said, for a failure that is no finding: a registry that cannot be reached, for example. */
  readonly said: string;
};

type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

const MINUTE_MS = 60_000;

const run = (command: string, args: readonly string[], environment: Record<string, string> = {}): Ran => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: 5 * MINUTE_MS,
    // A compiled template with its types is larger than the default.
    maxBuffer: 100_000_000,
  });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
};

/** Undefined when there is no Bicep CLI. Asks `az` for the version first: `az bicep build` would download one. */
export const findBicep = (): BicepCli | undefined => {
  const alone = run('bicep', ['--version']);
  if (alone.status === 0) return useBicep('bicep', alone.stdout);
  const withAz = run('az', ['bicep', 'version']);
  return withAz.status === 0 ? useBicep('az', withAz.stdout) : undefined;
};

const useBicep = (command: 'bicep' | 'az', said: string): BicepCli => {
  const call = (verb: string, file: string, options: readonly string[], environment = {}): BicepRun => {
    const args = command === 'bicep' ? [verb, file, ...options] : ['bicep', verb, '--file', file, ...options];
    return toBicepRun(run(command, args, environment));
  };
  return {
    command,
    version: /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said.trim(),
    build: (file) => call('build', file, ['--stdout']),
    lint: (file) => call('lint', file, []),
    buildParameters: (file, environment) => call('build-params', file, ['--stdout'], environment),
  };
};

const toBicepRun = ({ status, stdout, stderr }: Ran): BicepRun => ({
  failed: status !== 0,
  findings: readFindings(`${stdout}\n${stderr}`),
  said: stderr.trim(),
});

/** `file(line,column) : Warning code: message`; the az puts a prefix before some lines. */
const FINDING = /\S*\(\d+,\d+\) : (?:Error|Warning) \S+?: .*$/;

export const readFindings = (output: string): readonly string[] =>
  output.split(/\r?\n/).flatMap((line) => FINDING.exec(line)?.[0] ?? []);
