import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import doorPackage from '../../../clients/smtp-door/package.json' with { type: 'json' };
import rootPackage from '../../../package.json' with { type: 'json' };
import { makeSmtpDoor } from '../../../scripts/smtp-door-client.ts';
import { readDocument } from '../../support/documents.ts';
import { aFolder } from './a-spool.ts';
import { endDoors, startDoorProcess } from './door-process.ts';
import { type RelayStandIn, startRelayStandIn } from './relay-stand-in.ts';

let relay: RelayStandIn;
let made = '';
beforeAll(async () => {
  relay = await startRelayStandIn();
  made = await makeSmtpDoor(await mkdtemp(join(tmpdir(), 'smtp-door-made-')));
});
afterAll(async () => {
  endDoors();
  await relay.close();
  await rm(join(made, '../..'), { recursive: true });
});

/** The file alone in a folder, as a user has it who downloaded it. */
const emptyFolder = async () => {
  const folder = await aFolder();
  const file = join(folder, 'smtp-door.mjs');
  await copyFile(made, file);
  const run = (args: readonly string[], input = '', env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
      cwd: folder,
      input,
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  const configure = (change: object = {}) =>
    writeFile(
      join(folder, 'door.json'),
      JSON.stringify({
        relay: { url: relay.url },
        accounts: [{ name: 'erp', key: { file: 'erp.key' }, passwordHash: { file: 'erp.hash' } }],
        listeners: [{ port: 0, tls: 'none', plainAuth: true }],
        health: { port: 0 },
        spool: { folder: 'spool' },
        ...change,
      }),
    );
  return { folder, file, run, configure };
};

const send = (port: number, user: string, pass: string, text = 'Hello') => {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, auth: { user, pass } });
  return transport
    .sendMail({ from: 'erp@contoso.example', to: 'chan@contoso.example', subject: 'Hello', text })
    .then(
      ({ response }) => response,
      ({ response }) => String(response),
    )
    .finally(() => transport.close());
};

describe('the single file of the SMTP door', () => {
  test('makes a password, checks its configuration, receives an email, and takes another account without a restart', async () => {
    const { folder, file, run, configure } = await emptyFolder();
    const { stdout } = run(['hash-password', '--new']);
    const [, password = '', hash = ''] = /^Password: (\S+)\npasswordHash: (\S+)\n$/.exec(stdout) ?? [];
    await configure();
    expect(run(['check', '--config', 'door.json'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        'accounts[0].key: expected a value; received ENOENT for the file erp.key.',
      ),
    });
    await writeFile(join(folder, 'erp.key'), 'gmr_erp_1\n');
    await writeFile(join(folder, 'erp.hash'), `${hash}\n`);
    expect(run(['check'], '', { SMTP_DOOR_CONFIG: 'door.json' })).toMatchObject({ status: 0, stderr: '' });

    const door = await startDoorProcess(file, folder);
    expect(await send(door.port, 'erp', password)).toMatch(/^250 2\.0\.0 Ok: mail-smtp-/);
    // It is taken apart in a thread, which runs the same file.
    expect(await send(door.port, 'erp', password, 'Line\n'.repeat(400_000))).toMatch(
      /^250 2\.0\.0 Ok: mail-smtp-/,
    );
    expect([...relay.emails.values()].at(-1)?.body.length).toBeGreaterThan(2_000_000);
    expect(await send(door.port, 'erp', 'wrong')).toMatch(/^535 5\.7\.8 /);
    expect([...relay.emails.values()].at(-1)?.account).toBe('gmr_erp_1');

    const second = run(['--config', 'door.json']);
    expect([second.status, second.stderr]).toEqual([
      1,
      expect.stringContaining('the folder spool is in use'),
    ]);

    const other = run(['hash-password'], 'other password\n').stdout.trim();
    await configure({
      accounts: [{ name: 'crm', key: 'gmr_crm_2', passwordHash: other }],
      maxBytes: 1_000_000,
    });
    door.send('SIGHUP');
    await expect.poll(() => door.lines.map(({ event }) => event)).toContain('ConfigurationReloaded');
    expect(door.lines.find(({ event }) => event === 'RestartNeeded')).toMatchObject({ fields: 'maxBytes' });
    expect(await send(door.port, 'crm', 'other password')).toMatch(/^250 /);
    expect([...relay.emails.values()].at(-1)?.account).toBe('gmr_crm_2');
    expect(await send(door.port, 'erp', password)).toMatch(/^535 /);

    await writeFile(join(folder, 'door.json'), '{');
    door.send('SIGHUP');
    await expect.poll(() => door.lines.map(({ event }) => event)).toContain('ReloadFailed');
    const health = () => fetch(`http://127.0.0.1:${door.healthPort}/health`);
    expect(await (await health()).json()).toMatchObject({
      status: 'not ok',
      reasons: [expect.stringContaining('goes on with the one before')],
    });
    await configure({ accounts: [{ name: 'crm', key: 'gmr_crm_2', passwordHash: other }] });
    door.send('SIGHUP');
    await expect.poll(async () => (await health()).status).toBe(200);
    door.send('SIGTERM');
    expect(await door.ended).toBe(0);
    expect(door.lines.at(-1)?.event).toBe('Stopped');
    expect(JSON.stringify(door.lines)).not.toMatch(/gmr_|@contoso|Hello|password"/);
  });

  test('keeps emails while the relay is unavailable, and an operator decides on those that it refuses', async () => {
    const { folder, file, run, configure } = await emptyFolder();
    await configure({ accounts: [{ name: 'erp', key: 'gmr_erp_1', networks: ['127.0.0.1'] }] });
    const transport = (port: number) => createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
    const email = { from: 'erp@contoso.example', to: 'chan@contoso.example', subject: 'Late', text: 'Late' };
    relay.failWith(() => ({ kind: 'answer', status: 503, code: 'MAIL_DISABLED' }));
    const door = await startDoorProcess(file, folder);
    expect((await transport(door.port).sendMail(email)).response).toMatch(/^250 /);
    expect(run(['spool', 'list', '--config', 'door.json']).stdout).toMatch(/ waiting +erp /);
    relay.failWith(() => ({ kind: 'answer', status: 403, code: 'SENDER_NOT_ALLOWED' }));
    door.send('SIGHUP');
    await expect.poll(() => readdir(join(folder, 'spool/failed'))).toHaveLength(2);
    const [listed] = JSON.parse(run(['spool', 'list', '--json', '--config', 'door.json']).stdout);
    expect(listed).toMatchObject({ state: 'failed', reason: { reason: 'SENDER_NOT_ALLOWED' } });
    const health = await fetch(`http://127.0.0.1:${door.healthPort}/health`);
    expect([health.status, await health.text()]).toEqual([
      503,
      expect.stringContaining('Emails of the spool that failed: 1.'),
    ]);
    relay.failWith(() => undefined);
    const before = relay.emails.size;
    expect(run(['spool', 'retry', listed.id, '--config', 'door.json'])).toMatchObject({ status: 0 });
    await expect.poll(() => relay.emails.size).toBe(before + 1);
    expect(run(['spool', 'remove', listed.id, '--config', 'door.json'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no email has the id'),
    });
    door.send('SIGTERM');
    expect(await door.ended).toBe(0);
  });

  test('says what is wrong with a command line, with status 2', async () => {
    const { run } = await emptyFolder();
    expect(run([])).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'Expected --config <file> or the environment variable SMTP_DOOR_CONFIG, received neither.\nFor the usage: smtp-door --help\n',
    });
    expect(run(['--version']).stdout).toBe(`${doorPackage.version}\n`);
    expect(run(['hash-password']).stderr).toContain('Expected a password on standard input');
  });

  test('has beside it what the container file copies, and the licences of what it contains', async () => {
    const folder = join(made, '..');
    const files = await readdir(folder);
    const copied = [
      ...(await readFile(join(folder, 'Dockerfile'), 'utf8')).matchAll(/^COPY (?:--\S+ )*(.*) \S+$/gm),
    ];
    expect(
      copied.flatMap(([, names = '']) => names.split(' ')).filter((name) => !files.includes(name)),
    ).toEqual([]);
    expect(copied.length).toBeGreaterThan(0);
    const notices = await readFile(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of Object.keys(doorPackage.dependencies)) expect(notices).toContain(`\n${name} `);
  });
});

test('the versions of the packages in it are those that the repository tests', () => {
  const { dependencies, devDependencies } = rootPackage;
  const tested: Readonly<Record<string, string>> = { ...devDependencies, ...dependencies };
  for (const [name, version] of Object.entries(doorPackage.dependencies))
    expect([name, tested[name]]).toEqual([name, version]);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test.skipIf(!hasSystemd)('systemd accepts the unit (needs systemd-analyze)', () => {
  const { status, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', join(import.meta.dirname, '../../../clients/smtp-door/systemd/smtp-door.service')],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
});

test('the configuration to begin with is one that the door takes, once its files are there', async () => {
  const { folder, run } = await emptyFolder();
  const text = readDocument('clients/smtp-door/examples/door.json').text;
  await writeFile(join(folder, 'door.json'), text.replaceAll('/etc/smtp-door/', ''));
  expect(run(['check', '--config', 'door.json']).stderr).toContain('door.json has 3 problems:');
  for (const key of ['scanner.key', 'erp.key']) await writeFile(join(folder, key), 'gmr_a_b\n');
  await writeFile(join(folder, 'erp.hash'), run(['hash-password'], 'x').stdout);
  expect(run(['check', '--config', 'door.json'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('received ENOENT'),
  });
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'mail.contoso.example' }]);
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
  const { status, stdout } = run(['check', '--config', 'door.json']);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/\n {2}Certificate: until 20\d\d-/)]);
});
