import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CANARY, openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
  '--test-to',
  'me@contoso.com',
];

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = openSandbox();
});
afterEach(() => sandbox.close());

const expectNoSecretIn = (run: Run) => {
  expect(run.calls.flat().join('\n')).not.toContain(CANARY);
  expect(run.stdout).not.toContain(CANARY);
  expect(run.stderr).not.toContain(CANARY);
  for (const file of sandbox.filesLeft()) expect(readFileSync(file, 'utf8'), file).not.toContain(CANARY);
  // Arguments and environments of every process while az or curl held a secret, looked up in /proc.
  expect(sandbox.lines('leaks')).toEqual([]);
};

test('no secret is in an argument, an environment, the output, a file or the shell history', async () => {
  const run = await sandbox.run('deploy.sh', OPTIONS);
  expect(run.status).toBe(0);
  expectNoSecretIn(run);
  expect(sandbox.cloud().storedSecretIsOneOfThem).toBe(true);
  expect(sandbox.lines('mails')).toHaveLength(1);
});

test('not even where the shell traces, exports everything it is given, or writes history', async () => {
  const run = await sandbox.run('deploy.sh', OPTIONS, { SHELLOPTS: 'xtrace:allexport:history' });
  expect(run.status).toBe(0);
  // That tracing was on, or the test would prove nothing.
  expect(run.stderr).toContain('+ smoke_test');
  expectNoSecretIn(run);
});

test('not even where names that the scripts use are exported already', async () => {
  const run = await sandbox.run('deploy.sh', OPTIONS, { ANSWER: '-', secret: '-', key: '-', FAILURE: '-' });
  expect(run.status).toBe(0);
  expectNoSecretIn(run);
});

test('nor where storing it fails: then it is withdrawn at Entra, and no file is left', async () => {
  const calls = (await sandbox.run('deploy.sh', OPTIONS)).calls;
  const at = calls.findIndex((call) => call.join(' ').includes('keyvault secret set')) + 1;
  sandbox.close();
  sandbox = openSandbox();
  const run = await sandbox.run('deploy.sh', OPTIONS, { FAIL_AT: String(at) });
  expect(run.status).toBe(1);
  expect(run.stdout).toContain('could not be stored and was removed from Entra');
  expect(sandbox.cloud().secretsAtEntra).toBe(0);
  expectNoSecretIn(run);
  expect(sandbox.filesLeft()).toEqual([]);
});

test('nothing is left in the temporary folder after a run', async () => {
  await sandbox.run('deploy.sh', OPTIONS);
  expect(sandbox.filesLeft().filter((file) => !file.endsWith('graph-mail-relay.zip'))).toEqual([]);
});
