import { describe, expect, test } from 'vitest';
import { toDoctorText } from '../../../src/lib/desk/doctor-text.ts';
import {
  type DoctorNeeds,
  type ProvableConnection,
  runDoctor,
  sharingRuns,
} from '../../../src/lib/desk/run-doctor.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { holdNew } from '../../../src/lib/ledger/transitions.ts';
import type { CredentialProof, WatchedQueue } from '../../../src/lib/ports.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { aConnection, aProof, healthyFacts } from '../../support/doctor-facts.ts';
import { makeFakeVault } from '../../support/fake-vault.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const never = () => new Promise<never>(() => {});

const opened = (
  proveCredential: () => Promise<CredentialProof> = async () => aProof(),
  name = 'main',
): ProvableConnection => ({
  connection: aConnection({ name, senders: name === 'main' ? [] : [`*@${name}.example`] }),
  proveCredential,
});

const queueWith = (messages: number | undefined, ids: readonly string[] = [], putAt = NOW): WatchedQueue => {
  let peeks = 0;
  return {
    put: never,
    count: async () => messages,
    peek: async () => {
      const id = ids[Math.min(peeks, ids.length - 1)];
      peeks += 1;
      return id === undefined ? undefined : { id, putAt };
    },
  };
};

/** A relay in order; its clock never reaches the end of the run, and other waits end at once. */
const doctorNeeds = (changes: Partial<DoctorNeeds> = {}) => {
  const ports = inMemoryPorts();
  const waits: number[] = [];
  const looked: string[] = [];
  const needs: DoctorNeeds = {
    settings: healthyFacts().settings,
    version: '1.2.3',
    storage: () => ports.needs,
    queues: () => ({ mail: queueWith(0) }),
    poisonQueues: () => ({ 'mail-poison': queueWith(0) }),
    connections: () => [opened()],
    mailboxes: () => ({
      routeOf: (mailbox) => ({
        connection: mailbox.endsWith('@fabrikam.example') ? 'fabrikam' : 'main',
        cloud: 'global',
        tenantId: 'contoso.example',
      }),
      find: async (mailbox) => {
        looked.push(mailbox);
        return { kind: 'absent' };
      },
    }),
    vault: () => makeFakeVault(() => NOW),
    readServerTime: async () => NOW,
    lastRuns: { sweep: async () => ({ endedAt: NOW }) },
    clock: {
      now: () => NOW,
      sleep: async (ms) => {
        waits.push(ms);
        if (ms > 5000) await never();
      },
    },
    log: ports.needs.log,
    ...changes,
  };
  return { needs, ports, waits, looked };
};

const stateOf = async (needs: DoctorNeeds, check: string) =>
  (await runDoctor(needs)).findings
    .filter((finding) => finding.check === check)
    .map(({ state, seen }) => `${state}: ${seen}`)
    .join(' | ');

test('a healthy relay is ok, and the report says when and which version', async () => {
  const report = await runDoctor(doctorNeeds().needs);
  expect(report).toMatchObject({ state: 'ok', time: NOW.toISOString(), version: '1.2.3' });
});

test('what does not respond within ten seconds is a failure where emails need it, and the rest is there', async () => {
  const { needs } = doctorNeeds({
    connections: () => [opened(never)],
    readServerTime: never,
    mailboxes: () => ({
      routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
      find: never,
    }),
    lastRuns: { sweep: never },
  });
  const waits: number[] = [];
  const ending = {
    ...needs,
    clock: { ...needs.clock, sleep: async (ms: number) => void waits.push(ms) },
  };
  const { findings, state } = await runDoctor(ending);
  expect(Math.max(...waits)).toBeLessThan(10_000);
  expect(state).toBe('failed');
  expect(findings.find(({ check }) => check === 'token')?.seen).toMatch(/No answer/);
  expect(findings.find(({ check }) => check === 'settings')?.state).toBe('ok');
});

test('a mailbox of which nothing was heard is asked for once more, and only once', async () => {
  const findingOf = async (failures: number) => {
    let asked = 0;
    const { needs } = doctorNeeds({
      mailboxes: () => ({
        routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
        find: async () => {
          asked += 1;
          return asked <= failures ? { kind: 'not-now' } : { kind: 'absent' };
        },
      }),
    });
    const { findings } = await runDoctor(needs);
    return [findings.find(({ check }) => check === 'mailbox')?.state, asked];
  };
  expect(await findingOf(1)).toEqual(['ok', 2]);
  expect(await findingOf(9)).toEqual(['failed', 2]);
});

describe('a sick part hides no other', () => {
  const broken = () => {
    throw new AppError('SETTINGS_INVALID');
  };
  const sick: Partial<DoctorNeeds> = {
    storage: broken,
    queues: broken,
    poisonQueues: broken,
    connections: broken,
    mailboxes: broken,
    vault: broken,
    readServerTime: () => Promise.reject(new AppError('ENTRA_UNREACHABLE')),
    lastRuns: { sweep: () => Promise.reject(new Error('a fault of our own')) },
  };

  test.each(Object.keys(sick))('%s', async (name) => {
    const { needs } = doctorNeeds();
    const healthy = await runDoctor(needs);
    const { findings } = await runDoctor({ ...needs, [name]: sick[name as keyof DoctorNeeds] });
    expect(findings.filter(({ state }) => state === 'ok').length).toBeGreaterThanOrEqual(
      healthy.findings.length - 6,
    );
    expect(findings.filter(({ state }) => state !== 'ok').length).toBeGreaterThan(0);
  });

  test('not even all of them together stop the report', async () => {
    const { findings } = await runDoctor({ ...doctorNeeds().needs, ...sick });
    expect(findings.find(({ check }) => check === 'settings')?.state).toBe('ok');
  });
});

test('a fault of our own is logged without its message, and reported as unexpected', async () => {
  const { needs, ports } = doctorNeeds({
    vault: () => ({ listSecrets: () => Promise.reject(new Error('quotes a secret')) }),
  });
  const text = toDoctorText(await runDoctor(needs));
  expect(text).toContain('UNEXPECTED');
  expect(text + JSON.stringify(ports.logged)).not.toContain('quotes a secret');
  expect(ports.logged.map(({ event }) => event)).toEqual(['Unexpected']);
});

describe('a queue', () => {
  const old = new Date(NOW.getTime() - 2 * 3_600_000);
  test.each([
    [
      'is stuck where its next message is old and nothing takes it',
      queueWith(3, ['a', 'a'], old),
      /^failed: 3 messages/,
    ],
    [
      'is well where the message is taken while the doctor watches',
      queueWith(3, ['a', 'b'], old),
      /^ok: 3 messages wait/,
    ],
    ['is well where all its messages are hidden until they are due', queueWith(3), /^ok/],
    ['is well where its next message is new', queueWith(1, ['a', 'a'], NOW), /^ok/],
    ['is missing where there is none', queueWith(undefined), /^failed: There is no queue/],
  ])('%s', async (_title, queue, expected) => {
    expect(await stateOf(doctorNeeds({ queues: () => ({ mail: queue }) }).needs, 'queue')).toMatch(expected);
  });
});

test('named senders are looked at once each, by the connection of each, and at most 20 of them', async () => {
  const senders = ['Noreply@contoso.example', 'noreply@contoso.example', '*@contoso.example'];
  const many = Array.from({ length: 25 }, (_, number) => `box${number}@fabrikam.example`);
  const { needs, looked } = doctorNeeds({
    settings: { ...healthyFacts().settings, senders: [...senders, ...many] },
    connections: () => [opened(), opened(() => Promise.reject(new AppError('TENANT_UNKNOWN')), 'fabrikam')],
  });
  const { findings } = await runDoctor(needs);
  expect(looked).toHaveLength(20);
  const mailboxes = findings
    .filter(({ check }) => check === 'mailbox')
    .map(({ state, subject }) => `${state} ${subject}`);
  expect(mailboxes).toContain('ok noreply@contoso.example');
  expect(mailboxes).toContain('unknown 6 more');
  expect(mailboxes.find((one) => one.includes('box0@'))).toMatch(/^unknown/);
});

test('held emails are counted, those that are closed are not', async () => {
  const { needs, ports } = doctorNeeds();
  const holding = { why: 'refused', reason: { code: 'GIVEN_UP' }, hasContent: true } as const;
  const row = holdNew(aNewMail(NOW), { ...holding, record: aNewMail(NOW).mailId }, NOW);
  ports.ledger.create(row);
  for (const mailId of [row.facts.mailId, '0199aaaa-bbbb-7ccc-8ddd-0000000000ff'])
    ports.records.set(mailId, {
      mailId,
      heldAt: NOW.toISOString(),
      reason: { code: 'GIVEN_UP', title: '', remedy: '' },
      original: {},
    });
  expect(await stateOf(needs, 'held')).toMatch(/^warning: 1 email is held/);
});

test.each([
  [-90_000, /warning: The clock is 90 s ahead/],
  [600_000, /failed: The clock is 600 s behind/],
  [0, /ok/],
])('a clock of Entra that is %i ms away', async (ms, expected) => {
  const { needs } = doctorNeeds({ readServerTime: async () => new Date(NOW.getTime() - 500 + ms) });
  expect(await stateOf(needs, 'clock')).toMatch(expected);
});

test('those who ask while a run lasts share it, and the next one begins another', async () => {
  let runs = 0;
  const report = { state: 'ok', time: '', version: '', findings: [] } as const;
  const run = sharingRuns(async () => {
    runs += 1;
    return report;
  });
  await Promise.all([run(), run(), run()]);
  expect(runs).toBe(1);
  await run();
  expect(runs).toBe(2);
});

test('the text has the worst first, aligned, with what to do, and ends with advice', () => {
  const text = toDoctorText({
    state: 'failed',
    time: NOW.toISOString(),
    version: '1.2.3',
    findings: [
      {
        check: 'token',
        subject: 'main',
        state: 'failed',
        seen: 'Entra says no.',
        remedy: 'Renew it.',
        code: 'CLIENT_SECRET_EXPIRED',
      },
      { check: 'held', state: 'ok', seen: `${'word '.repeat(30)}end` },
    ],
  });
  expect(text.split('\n').slice(0, 5)).toEqual([
    'Graph Mail Relay 1.2.3, 2026-03-02 08:00:00 UTC',
    'Something is broken. Checks: 1 failed, 1 ok.',
    '',
    'FAILED    token (main): Entra says no. [CLIENT_SECRET_EXPIRED]',
    '          What to do: Renew it.',
  ]);
  expect(text).toMatch(/\nOK {8}held: word/);
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(text.trimEnd()).toMatch(/Then run the doctor again\.$/);
});

test('a sender of a connection whose settings are wrong is not looked for in the tenant of another', async () => {
  const { needs } = doctorNeeds();
  const { find } = needs.mailboxes();
  const routeOf = () => ({ connection: 'fabrikam', cloud: 'global', tenantId: '' }) as const;
  expect(await stateOf({ ...needs, mailboxes: () => ({ find, routeOf }) }, 'mailbox')).toMatch(
    /^unknown: Cannot be checked without a token/,
  );
});
