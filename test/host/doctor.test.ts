import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { eventually, type RelayForTests, startRelay } from './relay-for-tests.ts';

let relay: RelayForTests;
beforeAll(async () => {
  relay = await startRelay({ settings: { MAIL_ALLOWED_SENDERS: 'lane1@contoso.example' } });
});
afterAll(() => relay.close());

const ROOT = join(import.meta.dirname, '..', '..');

/** `npm run doctor -- ...` as an operator of a deployed relay calls it. */
const runDoctor = async (...args: readonly string[]) => {
  const child = spawn(process.execPath, ['scripts/doctor.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, MAIL_RELAY_URL: relay.url(), MAIL_RELAY_MASTER_KEY: KEYS.masterKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const status = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, error, status: await status };
};

test('the doctor of the bundle is for the master key alone, and finds nothing that failed', async () => {
  expect((await relay.call('GET', '/api/doctor')).status).toBe(401);
  const { status, body } = await relay.desk('/api/doctor');
  expect(status).toBe(200);
  const findings = body.findings as {
    readonly check: string;
    readonly state: string;
    readonly seen: string;
  }[];
  expect(findings.filter(({ state }) => state === 'failed')).toEqual([]);
  expect(findings.filter(({ check }) => check === 'mailbox')).toMatchObject([{ state: 'ok' }]);
  expect(JSON.stringify(body)).not.toContain('eyJhbGci');
});

test('the command prints the same for people, and its exit status says whether something failed', async () => {
  const { out, error, status } = await runDoctor();
  expect([error, status]).toEqual(['', 0]);
  expect(out).toMatch(/^Graph Mail Relay \d+\.\d+\.\d+, /);
  expect(out).toMatch(/OK {8}token \(main\)/);
  expect(JSON.parse((await runDoctor('--json')).out)).toMatchObject({ findings: expect.any(Array) });
});

test('a test email is sent by the command, and each step of it is shown', async () => {
  const { out, error, status } = await runDoctor(
    '--send-to',
    'admin@fabrikam.example',
    '--from',
    'lane1@contoso.example',
  );
  expect([error, status]).toEqual(['', 0]);
  expect(out).toMatch(/^Sent to admin@fabrikam\.example\.$/m);
  expect(out).toMatch(/^From {9}lane1@contoso\.example \(as in Sent Items\)$/m);
  expect(out).toMatch(/^Graph {8}202, request id [\w-]+$/m);
  expect(out).toMatch(/^Steps {8}token \d+ ms, ledger \d+ ms, Graph \d+ ms, together \d+ ms$/m);
  const [mail] = await relay.arrives('Test email from');
  expect(mail?.text).toContain('This is a test email');
});

test.each([
  [['--send-to', 'nobody'], /FIELD_INVALID: .*\n(?:.*\n)*\s*\/to: expected one address/],
  [['--send-to', 'a@b.example', '--from', 'ceo@contoso.example'], /SENDER_NOT_ALLOWED/],
])('a test email that cannot be sent says why and what to do: %j', async (args, expected) => {
  const { out, error, status } = await runDoctor(...args);
  expect([out, status]).toEqual(['', 1]);
  expect(error).toMatch(expected);
});

test('a sweep shows in the next report', async () => {
  await relay.runNow('sweepMail');
  await eventually(async () => {
    const { body } = await relay.desk('/api/doctor');
    expect(body.findings).toContainEqual(
      expect.objectContaining({ check: 'last-run', subject: 'sweep', state: 'ok' }),
    );
  });
});

test('settings that are invalid do not keep the doctor from looking at the rest, and the command fails', async () => {
  await relay.restart({ MAIL_GIVE_UP_HOURS: 'one day' });
  const { out, status } = await runDoctor();
  expect(status).toBe(1);
  expect(out).toMatch(/FAILED {4}settings \(MAIL_GIVE_UP_HOURS\)/);
  expect(out).toMatch(/OK {8}token \(main\)/);
});

test('nothing of all this is in the log', () => expectNoCanary({ ...relay, problems: [] }));
