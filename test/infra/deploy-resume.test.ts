import { expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { openSandbox, type Sandbox } from './az-stand-in/sandbox.ts';

const OPTIONS = [
  '--resource-group',
  'rg-relay',
  '--location',
  'westeurope',
  '--sender',
  'noreply@contoso.com',
  '--consent',
  '--test-to',
  'me@contoso.com',
];

const withSandbox = async <Result>(use: (sandbox: Sandbox) => Promise<Result>): Promise<Result> => {
  const sandbox = openSandbox();
  try {
    return await use(sandbox);
  } finally {
    sandbox.close();
  }
};

/** Halves the time: the machine has more than one processor. */
const inPairs = async (count: number, use: (index: number) => Promise<void>): Promise<void> => {
  let next = 1;
  const worker = async () => {
    while (next <= count) await use(next++);
  };
  await Promise.all([worker(), worker()]);
};

/** Asked again by itself, as an app that has just been deployed needs a while. */
const isHealthCheck = (call: readonly string[] | undefined) => call?.at(-1)?.endsWith('/api/health') === true;

test(
  'a run that fails at any one of its calls stops, says so, and the same command completes it',
  async () => {
    const clean = await withSandbox(async (sandbox) => {
      const run = await sandbox.run('deploy.sh', OPTIONS);
      return { calls: run.calls.length, cloud: sandbox.cloud() };
    });
    expect(clean.calls).toBeGreaterThan(25);

    await inPairs(clean.calls, (at) =>
      withSandbox(async (sandbox) => {
        const failing = await sandbox.run('deploy.sh', OPTIONS, { FAIL_AT: String(at) });
        const where = `call ${at}: ${failing.calls[at - 1]?.slice(0, 5).join(' ')}`;
        if (isHealthCheck(failing.calls[at - 1])) return expect(failing.status, where).toBe(0);
        expect(failing.status, where).toBe(1);
        expect(failing.stderr, where).toMatch(/stopped/);
        expect(sandbox.cloud().secretsAtEntra, where).toBeLessThanOrEqual(1);

        const resumed = await sandbox.run('deploy.sh', OPTIONS);
        expect(resumed.stderr, where).toBe('');
        expect(resumed.status, where).toBe(0);
        expect(sandbox.cloud(), where).toEqual(clean.cloud);
        expect(sandbox.lines('mails'), where).toHaveLength(1);
      }),
    );
  },
  TOOLS_MS,
);

test('a failure that passes by itself is waited out', async () => {
  const calls = await withSandbox(async (sandbox) => (await sandbox.run('deploy.sh', OPTIONS)).calls);
  const at =
    calls.findIndex((call) => call.includes('graph-mail-relay-registration') && call.includes('create')) + 1;
  await withSandbox(async (sandbox) => {
    const run = await sandbox.run('deploy.sh', OPTIONS, {
      FAIL_AT: String(at),
      FAIL_WITH: '(ServiceUnavailable) The service is busy.',
    });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('retrying ...');
  });
});

test('a right that never comes is waited for only so long', () =>
  withSandbox(async (sandbox) => {
    sandbox.set('lag', '1000');
    const run = await sandbox.run('deploy.sh', OPTIONS);
    expect(run.status).toBe(3);
    expect(run.calls.filter((call) => call.includes('keyvault') && call.includes('list'))).toHaveLength(5);
    expect(run.stderr).toContain(
      'you still have the temporary role on kv-relay. The next successful run removes it.',
    );
  }));
