import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../support/documents.ts';

const root = mkdtempSync(join(tmpdir(), 'workflow-steps-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = (): string => {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
};

type Step = { readonly name?: string; readonly run?: string };

/** Runs a step of a workflow as GitHub does. */
const runStep = (
  workflow: string,
  job: string,
  step: string,
  cwd: string,
  variables: NodeJS.ProcessEnv = {},
) => {
  const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows', workflow), 'utf8'));
  const { run = '' } = (jobs[job].steps as readonly Step[]).find(({ name }) => name === step) ?? {};
  expect(run).not.toBe('');
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', run], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...variables },
  });
  return { status, said: `${stdout}${stderr}` };
};

describe('a release', () => {
  const git = (cwd: string, ...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@contoso.example', ...args], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();

  const CHANGELOG =
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-11-26\n\n- News.\n\n## [1.1.0]\n\n- Old.\n';

  /** A clone with version 1.2.0, as checkout leaves it. */
  const clone = ({ changelog = CHANGELOG, branch = 'main' } = {}): string => {
    const folder = newFolder();
    git(folder, 'init', '--quiet', '--initial-branch', 'main');
    git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'begin');
    git(folder, 'checkout', '--quiet', '-B', branch);
    writeFileSync(join(folder, 'package.json'), '{ "version": "1.2.0" }');
    writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
    git(folder, 'add', '.');
    git(folder, 'commit', '--quiet', '--message', 'release');
    git(folder, 'update-ref', 'refs/remotes/origin/main', 'main');
    return folder;
  };

  const check = (folder: string, tag = 'v1.2.0') =>
    runStep(
      'release.yml',
      'package',
      'The tag is on main, names the version, and the changelog has it',
      folder,
      {
        GITHUB_REF_NAME: tag,
        GITHUB_SHA: git(folder, 'rev-parse', 'HEAD'),
      },
    );

  test('has the part of the changelog that speaks of it', () => {
    const folder = clone();
    expect(check(folder)).toEqual({ status: 0, said: '' });
    expect(readFileSync(join(folder, 'notes.md'), 'utf8').trim()).toBe('- News.');
  });

  test.each([
    ['the tag names another version', () => check(clone(), 'v1.3.0'), 'package.json has version 1.2.0'],
    ['the tag is not on main', () => check(clone({ branch: 'other' })), 'is not on main'],
    [
      'the changelog does not know it',
      () => check(clone({ changelog: '## [Unreleased]\n\n- News.\n' })),
      "no section '## [1.2.0]'",
    ],
    [
      'the changelog says nothing of it',
      () => check(clone({ changelog: '## [1.2.0]\n\n## [1.1.0]\n\n- Old.\n' })),
      "no section '## [1.2.0]'",
    ],
  ])('does not happen when %s', (_case, run, said) => {
    const result = run();
    expect(result.status).toBe(1);
    expect(result.said).toContain('::error::');
    expect(result.said).toContain(said);
  });

  const RELEASED = ['graph-mail-relay.zip', 'graph-mail-relay.cdx.json', 'mail-relay.mjs', 'mail-relay.tgz'];

  test('is refused for a package or a command that was changed between build and publication', () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'dist'));
    for (const file of [...RELEASED.map((name) => `dist/${name}`), 'notes.md'])
      writeFileSync(join(folder, file), file);
    expect(runStep('release.yml', 'package', 'What goes into the release', folder).status).toBe(0);
    const release = join(folder, 'release');
    const checked = () =>
      runStep('release.yml', 'publish', 'The package and the commands are those that were built', release)
        .status;
    expect(checked()).toBe(0);
    for (const file of ['graph-mail-relay.zip', 'mail-relay.mjs', 'mail-relay.tgz']) {
      writeFileSync(join(release, file), 'another');
      expect(checked()).toBe(1);
      writeFileSync(join(release, file), `dist/${file}`);
    }
    expect(checked()).toBe(0);
  });
});

describe('a deployment from GitHub', () => {
  /** A folder with the scripts, and an az that answers by the words it was called with. */
  const withAz = (
    answers: Readonly<Record<string, string>>,
    fails = 'never',
  ): { folder: string; PATH: string } => {
    const folder = newFolder();
    symlinkSync(join(ROOT, 'scripts'), join(folder, 'scripts'));
    writeFileSync(join(folder, 'answers.json'), JSON.stringify(answers));
    writeFileSync(
      join(folder, 'az'),
      `#!${process.execPath}
const words = process.argv.slice(2).join(' ');
if (words.startsWith(${JSON.stringify(fails)})) process.exit(1);
const answers = JSON.parse(require('node:fs').readFileSync(__dirname + '/answers.json', 'utf8'));
for (const start of Object.keys(answers)) if (words.startsWith(start)) process.stdout.write(answers[start]);
`,
    );
    chmodSync(join(folder, 'az'), 0o755);
    // First the Node.js of this test, as setup-node puts its own first.
    return { folder, PATH: `${folder}:${join(process.execPath, '..')}:${process.env.PATH}` };
  };

  const now = JSON.stringify({ parametersJson: JSON.stringify({ parameters: { options: { value: {} } } }) });

  test.each([
    [
      1,
      'would lose an option stops before the preview',
      '[{"options": {"value": {"privateNetwork": true}}}]',
    ],
    [0, 'loses nothing goes on', '[{"options": {"value": {}}}]'],
    [0, 'is the first goes on', ''],
  ])('exits with %i: one that %s', (status, _case, last) => {
    const { folder, PATH } = withAz({ 'deployment group list': last, 'bicep build-params': now });
    const result = runStep('deploy.yml', 'preview', 'Nothing that was set is lost', folder, { PATH });
    expect(result.status).toBe(status);
    expect(result.said.includes('options.privateNetwork: give it in the variable RELAY_OPTIONS')).toBe(
      status === 1,
    );
  });

  test('stops where the last deployment cannot be read, instead of taking it for none', () => {
    const { folder, PATH } = withAz({ 'bicep build-params': now }, 'deployment group list');
    expect(runStep('deploy.yml', 'preview', 'Nothing that was set is lost', folder, { PATH }).status).toBe(1);
  });

  test.each(['group show', 'tag update'])(
    'goes on with a warning when %s fails after the code is deployed',
    (fails) => {
      const { folder, PATH } = withAz({ 'group show': '/subscriptions/s/resourceGroups/rg' }, fails);
      mkdirSync(join(folder, 'dist'));
      writeFileSync(join(folder, 'dist/graph-mail-relay.zip'), 'zip');
      const result = runStep('deploy.yml', 'deploy', 'infra/deploy.sh knows what is deployed', folder, {
        PATH,
        RELAY_NAME: 'mail-relay',
      });
      expect(result.status).toBe(0);
      expect(result.said).toContain('::warning::');
    },
  );
});

test('after azd too, infra/deploy.sh finds the hash of what is deployed', () => {
  const { hooks } = parse(readFileSync(join(ROOT, 'azure.yaml'), 'utf8'));
  const folder = newFolder();
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/graph-mail-relay.zip'), 'abc');
  writeFileSync(join(folder, 'az'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/said\n`);
  chmodSync(join(folder, 'az'), 0o755);
  const { status, stderr } = spawnSync(hooks.postdeploy.shell, ['-c', hooks.postdeploy.run], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${folder}:${join(process.execPath, '..')}:${process.env.PATH}`,
      AZURE_SUBSCRIPTION_ID: 's',
      AZURE_RESOURCE_GROUP: 'rg',
    },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const said = readFileSync(join(folder, 'said'), 'utf8');
  // Of "abc", FIPS 180-2.
  expect(said).toContain(
    'graphMailRelayPackage=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(said).toContain('/subscriptions/s/resourceGroups/rg\n');
});
