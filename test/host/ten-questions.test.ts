import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCommandFile } from '../../scripts/command-file.ts';
import { isIn } from '../../src/lib/ledger/ledger-row.ts';
import { recordDeliveries } from '../../src/lib/ledger/transitions.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { readDocument } from '../support/documents.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

/*
 * The situation of each question, and its command as the page has it, run as an on-call engineer would: one file in an empty folder
 * outside of the repository, with nothing but the address and the key of the relay.
 */
const { text } = readDocument('docs/operations.md');
const section = text.split(/^## /m).find((part) => part.startsWith('Ten questions\n')) ?? '';
const questions = [...section.matchAll(/^### (.+)\n\n```bash\n(.+)\n```$/gm)].map(
  ([, question = '', command = '']) => [question, command] as const,
);

const relay = await startRelay();
const folder = await mkdtemp(join(tmpdir(), 'on-call-'));
const built = await mkdtemp(join(tmpdir(), 'command-'));
afterAll(async () => {
  await relay.close();
  await rm(folder, { recursive: true });
  await rm(built, { recursive: true });
});

type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

const run = (
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ran> =>
  new Promise((resolve) => {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, ...environment };
    execFile(program, [...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

/** A command of the page, by the file. */
const runHere = (command: string): Promise<Ran> => {
  const words = command.replace(/^npm run (\w+)(?: --)?/, '$1').split(/ +/);
  return run(process.execPath, ['mail-relay.mjs', ...words], {
    MAIL_RELAY_URL: relay.url(),
    MAIL_RELAY_MASTER_KEY: KEYS.masterKey,
  });
};

const SENDER = 'noreply@contoso.example';
const KEY = 'payslip-2026-11-1042';

const situation = async () => {
  const { body: caller } = await relay.desk('/api/callers', { name: 'payroll', senders: [SENDER] });
  const key = /gmr_[a-z0-9]+_[a-z0-9]+/.exec(JSON.stringify(caller))?.[0] ?? '';
  const send = async (mail: Record<string, unknown>) => {
    const { body } = await relay.send(canaryMail(newMarker(), mail), {});
    return String(body.id);
  };
  // Not by relay.call, which always sends a function key: one credential is all that a request may have.
  const response = await fetch(`${relay.url()}/api/v1/mail`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(canaryMail(newMarker(), { from: SENDER })),
  });
  const ofPayroll = (await response.json()) as { readonly id: string };
  expect(response.status).toBe(200);
  const sent = await send({ to: 'Ann <Ann@fabrikam.example>', idempotencyKey: KEY });
  relay.cloud.graph.faults.add({
    on: 'sendMail',
    mailbox: 'lane0@contoso.example',
    fault: { kind: 'answer', status: 504 },
  });
  const held = await send({ from: 'lane0@contoso.example', onUnknown: 'hold' });
  relay.cloud.graph.faults.add({
    on: 'sendMail',
    mailbox: 'lane1@contoso.example',
    fault: { kind: 'answer', status: 429, retryAfter: '3000' },
  });
  const deferred = await send({ from: 'lane1@contoso.example' });
  await relay.reaches(deferred, 'deferred');
  return { sent, held, deferred, bounced: await bounce(await send({})), ofPayroll: ofPayroll.id };
};

/** As a report that came back to the sender does. */
const bounce = async (mailId: string): Promise<string> => {
  const { connectionString } = relay.cloud.azurite;
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
  const entry = await ledger.find(mailId);
  if (entry === undefined || !isIn(entry.row, 'sent')) throw new Error('expected an email that was sent');
  const recipient = entry.row.facts.recipientHashes?.[0] ?? '';
  const news = {
    recipient,
    status: 'failed',
    source: 'report',
    at: new Date().toISOString(),
    code: '5.1.1',
  } as const;
  await ledger.replace(recordDeliveries(entry.row, [news]), entry.etag);
  return mailId;
};

let made: Awaited<ReturnType<typeof situation>>;
let requestId = '';
beforeAll(async () => {
  const { file, tarball } = await makeCommandFile(built);
  await copyFile(tarball, join(folder, 'mail-relay.tgz'));
  await copyFile(file, join(folder, 'mail-relay.mjs'));
  made = await situation();
  requestId = String((await relay.show(made.sent)).body.graphRequestId);
}, 120_000);

describe('ten questions of an on-call engineer', () => {
  test('are ten, each with one command', () => {
    expect(questions).toHaveLength(10);
    expect(section.match(/^### /gm)).toHaveLength(10);
    for (const [question] of questions) expect(question).toMatch(/\?$/);
  });

  const answer = async (number: number, ids: { readonly id?: string } = {}): Promise<string> => {
    const [, command = ''] = questions[number - 1] ?? [];
    const whole = command.replace('<id>', ids.id ?? '').replace('<request id>', requestId);
    const { status, stdout, stderr } = await runHere(whole);
    expect(status, `${whole}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const idsIn = (list: string): readonly string[] => [...list.matchAll(/^[0-9a-f-]{36}/gm)].map(([id]) => id);

  test('one: what happened to this email', async () => {
    const page = await answer(1, { id: made.sent });
    expect(page).toContain(`${made.sent}  sent`);
    expect(page).toMatch(/Graph accepted it after \d+ m?s \(202, Graph request [0-9a-f-]{36}\)\./);
  });

  test('two: an email to a recipient, in any case of letters', async () => {
    expect(idsIn(await answer(2))).toEqual([made.sent]);
  });

  test('three: the email with the key of the application', async () => {
    expect(await answer(3)).toContain(`${made.sent}  sent`);
  });

  test('four: the email of a request to Graph', async () => {
    expect(await answer(4)).toContain(`${made.sent}  sent`);
  });

  test('five: what waits for a decision', async () => {
    const list = await answer(5);
    expect(idsIn(list)).toEqual([made.held]);
    expect(list).toContain('OUTCOME_UNKNOWN');
  });

  test('six: whether a held email was sent, with its subject and recipients', async () => {
    const page = await answer(6, { id: made.held });
    expect(page).toMatch(/^Subject {5}canary-subject m\w+$/m);
    expect(page).toMatch(/^To {10}Canary Chan <canary-to@fabrikam\.example>$/m);
    expect(page).toMatch(/^Sent Items {2}subject:"canary-subject m\w+" to:"canary-to@fabrikam\.example"$/m);
    expect(page).toMatch(/^Trace {7}Get-MessageTraceV2 -SenderAddress 'lane0@contoso\.example' /m);
    expect(await relay.logged('MailContentShown', { mailId: made.held })).toBeDefined();
  });

  test('seven: what is late', async () => {
    expect(idsIn(await answer(7))).toEqual([made.deferred]);
  });

  test('eight: what an application sent', async () => {
    expect(idsIn(await answer(8))).toEqual([made.ofPayroll]);
  });

  test('nine: what did not reach its recipients', async () => {
    const list = await answer(9);
    expect(idsIn(list)).toEqual([made.bounced]);
    expect(list).toContain('sent, bounced');
  });

  test('ten: whether something is wrong with the relay', async () => {
    const [, command = ''] = questions[9] ?? [];
    const { stdout } = await runHere(command);
    expect(stdout).toMatch(/\d emails? (?:is|are) held/);
  });
});

describe('the file', () => {
  test('decides on several emails, tells of each, and fails if one of them does', async () => {
    const none = '01890000-0000-7000-8000-000000000000';
    const ran = await runHere(`npm run mail -- close ${none} ${made.deferred} --note done`);
    expect(ran).toMatchObject({ status: 1, stdout: `Email ${made.deferred} is closed.\n` });
    expect(ran.stderr).toContain(`${none}: MAIL_NOT_FOUND`);
  });

  test('names itself in what it prints, and says of wrong input what was expected', async () => {
    expect((await runHere('npm run mail -- --help')).stdout).toMatch(
      /^Usage: node mail-relay\.mjs mail list/,
    );
    const ran = await runHere('npm run mail -- list --since yesterday');
    expect([ran.status, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(/^Expected in --since a time such as .+ received text of 9 characters\.\n/);
    expect(ran.stderr).toContain('For the usage: node mail-relay.mjs mail --help');
    expect(ran.stderr).not.toContain('npm run');
  });

  test('without an address or a key says which variable it needs', async () => {
    const nothing = await run(process.execPath, ['mail-relay.mjs', 'doctor']);
    expect([nothing.status, nothing.stderr]).toEqual([2, expect.stringContaining('MAIL_RELAY_URL')]);
    const keyless = await run(process.execPath, ['mail-relay.mjs', 'doctor'], {
      MAIL_RELAY_URL: relay.url(),
    });
    expect([keyless.status, keyless.stderr]).toEqual([2, expect.stringContaining('MAIL_RELAY_MASTER_KEY')]);
  });

  test('names no command of a clone where no relay responds', async () => {
    for (const address of ['http://127.0.0.1:9', 'https://relay.invalid']) {
      const ran = await run(process.execPath, ['mail-relay.mjs', 'mail', 'list'], {
        MAIL_RELAY_URL: address,
        MAIL_RELAY_MASTER_KEY: 'k',
      });
      expect([ran.status, ran.stderr]).toEqual([
        1,
        expect.stringContaining(`Cannot reach the relay at ${address}.`),
      ]);
      expect(ran.stderr).not.toContain('npm');
    }
    const nothing = await run(process.execPath, ['mail-relay.mjs', 'doctor']);
    expect(nothing.stderr).not.toContain('npm');
  });

  test('says of a Node that is too old which one it needs', async () => {
    const older =
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } })";
    const ran = await run(process.execPath, [
      ...['--import', `data:text/javascript,${encodeURIComponent(older)}`],
      ...['mail-relay.mjs', '--version'],
    ]);
    expect([ran.status, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toBe(
      'Expected Node.js 20 or later, received 18.20.8. Install a newer one: https://nodejs.org\n',
    );
  });

  test('is also a package that npx runs without asking a registry', async () => {
    const { status, stdout } = await run('npx', ['--yes', '--offline', './mail-relay.tgz', '--version'], {
      npm_config_cache: join(built, 'cache'),
      npm_config_audit: 'false',
    });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

test('nothing of these emails is in the log or in a problem', () => expectNoCanary(relay));
