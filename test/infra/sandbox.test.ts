import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from './az-stand-in/sandbox.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
];
const STEPS = [...OPTIONS, 'registration', 'infrastructure', 'credential'];

const opened: Sandbox[] = [];
const open = (): Sandbox => {
  const sandbox = openSandbox();
  opened.push(sandbox);
  return sandbox;
};
afterEach(() => {
  for (const sandbox of opened.splice(0)) sandbox.close();
});

/** Without what tells one sandbox, and one run of a script, from another. */
const plain = (sandbox: Sandbox, value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(sandbox.root, 'ROOT')
      .replaceAll(/graph-mail-relay\.\w{6}/g, 'SCRATCH')
      .replaceAll(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g, 'TIME'),
  );
const seenOf = (sandbox: Sandbox, runs: unknown) =>
  plain(sandbox, { runs, cloud: sandbox.cloud(), calls: sandbox.lines('calls'), left: sandbox.filesLeft() });

test('runs that are copied are told from the same runs in another sandbox by nothing', async () => {
  const real = open();
  const expected = seenOf(real, [
    await real.run('deploy.sh', STEPS),
    await real.run('deploy.sh', STEPS),
    await real.run('deploy.sh', STEPS, { FAIL_AT: '3' }),
  ]);
  for (const _first of [true, false]) {
    const sandbox = open();
    const runs = [
      await sandbox.runOnce('deploy.sh', STEPS),
      await sandbox.runOnce('deploy.sh', STEPS),
      await sandbox.runOnce('deploy.sh', STEPS, { FAIL_AT: '3' }),
    ];
    expect(seenOf(sandbox, runs)).toEqual(expected);
  }
});

test('a run that finds other files than before is not copied', async () => {
  const sandbox = open();
  const file = join(sandbox.root, 'parameters.json');
  const deploy = () => sandbox.runOnce('deploy.sh', [...OPTIONS, '--parameters', file, 'infrastructure']);
  writeFileSync(file, JSON.stringify({ parameters: { alertRecipients: { value: ['it@contoso.com'] } } }));
  await sandbox.runOnce('deploy.sh', [...OPTIONS, 'registration']);
  const deployed = sandbox.cloud();
  expect((await deploy()).status).toBe(0);
  expect(sandbox.cloud()).not.toEqual(deployed);
  writeFileSync(file, '{');
  expect((await deploy()).status).toBe(1);
});
