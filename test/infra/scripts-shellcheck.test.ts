import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPTS = globSync(['infra/*.sh', 'infra/scripts/*.sh'], { cwd: ROOT }).sort();
const STAND_INS = ['az', 'curl', 'npm', 'node', 'begin.sh'].map((name) => `test/infra/az-stand-in/${name}`);
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

test('there are scripts to look at', () => {
  expect(SCRIPTS).toContain('infra/deploy.sh');
  expect(SCRIPTS).toContain('infra/scripts/store-client-secret.sh');
});

test.skipIf(!hasShellcheck)(
  `shellcheck has nothing to say${hasShellcheck ? '' : ' (skipped: shellcheck is not installed)'}`,
  () => {
    const { stdout, status } = spawnSync('shellcheck', ['--external-sources', ...SCRIPTS, ...STAND_INS], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  },
);

test.each(SCRIPTS)('%s is read by bash without complaint', (script) => {
  expect(execFileSync('bash', ['-n', script], { cwd: ROOT, encoding: 'utf8' })).toBe('');
});

test.each(SCRIPTS)('%s has no here-string, which bash may write to a temporary file', (script) => {
  expect(readFileSync(join(ROOT, script), 'utf8')).not.toContain('<<<');
});

test.each(SCRIPTS)('%s uses nothing newer than the bash of macOS, 3.2', (script) => {
  const text = readFileSync(join(ROOT, script), 'utf8');
  expect(text).not.toMatch(/declare -A|local -A|mapfile|readarray|\$\{\w+(,,|\^\^)|&>>|\|&|\[\[ -v /);
});

test('a checkout gives scripts the line ends that bash reads, whatever the machine', () => {
  expect(readFileSync(join(ROOT, '.gitattributes'), 'utf8')).toMatch(/^\* text=auto eol=lf$/m);
  for (const script of [...SCRIPTS, ...STAND_INS])
    expect(readFileSync(join(ROOT, script), 'utf8')).not.toContain('\r');
});
