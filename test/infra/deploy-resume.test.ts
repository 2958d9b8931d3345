import { describe, expect, test } from 'vitest';
import { TOOLS_MS } from '../support/patience.ts';
import { openSandbox, type Run, type Sandbox } from './az-stand-in/sandbox.ts';

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

const asks = (call: readonly string[] | undefined, path: string) => call?.at(-1)?.endsWith(path) === true;
/** Asked again by itself, as an app that has just been deployed needs a while. */
const isHealthCheck = (call: readonly string[] | undefined) => asks(call, '/api/health');

/** How a run ends whose call at this place fails. */
const endOf = (calls: Run['calls'], at: number): 'stopped' | 'done' | 'no word of the doctor' => {
  const failed = calls[at - 1];
  if (isHealthCheck(failed)) return 'done';
  // Asked for its text, it is asked again; not for its JSON, without which nothing says that all is well. The relay is deployed by then:
  // nothing is undone.
  if (failed?.[1]?.endsWith('/scripts/read-doctor.ts')) return 'no word of the doctor';
  if (!asks(failed, '/api/doctor')) return 'stopped';
  return calls.slice(0, at - 1).some((call) => asks(call, '/api/doctor')) ? 'no word of the doctor' : 'done';
};
const NO_WORD = 'the doctor did not say whether all is well: see above. Nothing was undone.';

test(
  'a run that fails at any one of its calls stops, says so, and the same command completes it',
  async () => {
    const clean = await withSandbox(async (sandbox) => {
      const run = await sandbox.runOnce('deploy.sh', OPTIONS);
      return { calls: run.calls.length, cloud: sandbox.cloud() };
    });
    expect(clean.calls).toBeGreaterThan(25);

    await inPairs(clean.calls, (at) =>
      withSandbox(async (sandbox) => {
        const failing = await sandbox.runOnce('deploy.sh', OPTIONS, { FAIL_AT: String(at) });
        const where = `call ${at}: ${failing.calls[at - 1]?.slice(0, 5).join(' ')}`;
        const end = endOf(failing.calls, at);
        if (end !== 'stopped') {
          expect(failing.status, where).toBe(end === 'done' ? 0 : 4);
          expect(failing.stderr.includes(NO_WORD), where).toBe(end === 'no word of the doctor');
          expect(sandbox.cloud(), where).toEqual(clean.cloud);
          expect(sandbox.lines('mails'), where).toHaveLength(1);
          return;
        }
        expect(failing.status, where).toBe(1);
        expect(failing.stderr, where).toMatch(/stopped/);
        expect(sandbox.cloud().secretsAtEntra, where).toBeLessThanOrEqual(1);

        const resumed = await sandbox.runOnce('deploy.sh', OPTIONS);
        expect(resumed.stderr, where).toBe('');
        expect(resumed.status, where).toBe(0);
        expect(sandbox.cloud(), where).toEqual(clean.cloud);
        expect(sandbox.lines('mails'), where).toHaveLength(1);
      }),
    );
  },
  TOOLS_MS,
);

let callsOfACleanRun: Promise<Run['calls']> | undefined;
/** The number of the call that deploys main.bicep, or another one that `words` names. */
const numberOf = async (words: string): Promise<number> => {
  callsOfACleanRun ??= withSandbox(async (sandbox) => (await sandbox.runOnce('deploy.sh', OPTIONS)).calls);
  const calls = await callsOfACleanRun;
  const at = calls.findIndex((call) => call.join(' ').includes(words));
  expect(at, words).toBeGreaterThan(0);
  return at + 1;
};
const MAIN = '--name graph-mail-relay --template-file';

describe('a failure that passes by itself is waited out', () => {
  test.each([
    [MAIN, '(ServiceUnavailable) The service is busy.'],
    [MAIN, '(AnotherOperationInProgress) Another operation on this or dependent resource is in progress.'],
    [MAIN, '{"code": "Conflict", "message": "Another operation is in progress. Please try again later."}'],
    [
      MAIN,
      '(DeploymentActive) The deployment with resource id /x cannot be saved, because this would overwrite an existing deployment which is still active.',
    ],
    [
      'source config-zip',
      'An error occured during deployment. Status Code: 409, Details: Conflict. There is a deployment currently in progress.',
    ],
    ['tag update', '(Conflict) The tags are being changed.'],
    ['group create', '(OperationInProgress) Operation is in progress.'],
  ])('%s: %s', async (words, message) => {
    const at = await numberOf(words);
    await withSandbox(async (sandbox) => {
      const run = await sandbox.runOnce('deploy.sh', OPTIONS, { FAIL_AT: String(at), FAIL_WITH: message });
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
    });
  });
});

describe('a failure that stays is not waited for', () => {
  test.each([
    '(Conflict) Website with given name func-mail-relay already exists.',
    '(StorageAccountAlreadyTaken) Conflict: The storage account named stmailrelay is already taken.',
    '(ConflictError) A vault with the same name already exists in deleted state.',
  ])('%s', async (message) => {
    const at = await numberOf(MAIN);
    await withSandbox(async (sandbox) => {
      const run = await sandbox.runOnce('deploy.sh', OPTIONS, { FAIL_AT: String(at), FAIL_WITH: message });
      expect(run.status).toBe(1);
      expect(run.calls).toHaveLength(at);
    });
  });

  test('and a deployment, which takes minutes, is tried three times at most', () =>
    withSandbox(async (sandbox) => {
      const run = await sandbox.runOnce('deploy.sh', OPTIONS, {
        FAIL_DEPLOYMENT: '(ServiceUnavailable) The service is busy.',
        RETRY_TIMES: '30',
      });
      expect(run.status).toBe(1);
      expect(run.calls.filter((call) => call.join(' ').includes(MAIN))).toHaveLength(3);
    }));

  test('and a unique name that Entra keeps is named with each way out', async () => {
    const at = await numberOf('registration.bicep');
    await withSandbox(async (sandbox) => {
      const run = await sandbox.runOnce('deploy.sh', OPTIONS, {
        FAIL_AT: String(at),
        FAIL_WITH: 'Another object with the same value for property uniqueName already exists.',
      });
      expect(run.status).toBe(1);
      expect(run.stderr).toContain('/directory/deletedItems/<its id>/restore');
      expect(run.stderr).toContain('--registration <name>');
    });
  });
});

test('a right that never comes is waited for only so long', () =>
  withSandbox(async (sandbox) => {
    sandbox.set('lag', '1000');
    const run = await sandbox.runOnce('deploy.sh', OPTIONS);
    expect(run.status).toBe(3);
    expect(run.calls.filter((call) => call.includes('keyvault') && call.includes('list'))).toHaveLength(5);
    expect(run.stderr).toContain(
      'you still have the temporary role on kv-relay. The next successful run removes it.',
    );
  }));
