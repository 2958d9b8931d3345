import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRelay } from '../../local/find-relay.ts';
import { writeRunning } from '../../local/running-relay.ts';

const AZURE = 'https://func-mail-relay.azurewebsites.net';
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const runAt = (url: string) =>
  writeRunning(folder, {
    pid: 1,
    since: '2026-11-25T08:00:00.000Z',
    relay: { url, masterKey: 'of the running one' },
  });

test('the relay that runs here is found with its port and its key', async () => {
  await runAt('http://localhost:9071');
  const { url, masterKey } = await findRelay(undefined, folder, { MAIL_RELAY_MASTER_KEY: 'of another' });
  expect([url.origin, masterKey]).toEqual(['http://localhost:9071', 'of the running one']);
  expect((await findRelay('http://127.0.0.1:9071', folder, {})).masterKey).toBe('of the running one');
});

test('another relay gets the key of the environment, and never that of the one that runs here', async () => {
  await runAt('http://localhost:9071');
  const { masterKey } = await findRelay(AZURE, folder, { MAIL_RELAY_MASTER_KEY: 'of azure' });
  expect(masterKey).toBe('of azure');
  await expect(findRelay('http://localhost:9072', folder, {})).rejects.toThrow('MAIL_RELAY_MASTER_KEY');
});

test('the address in MAIL_RELAY_URL counts before the relay that runs here, and the option before both', async () => {
  await runAt('http://localhost:9071');
  const environment = { MAIL_RELAY_URL: AZURE, MAIL_RELAY_MASTER_KEY: 'of azure' };
  expect((await findRelay(undefined, folder, environment)).url.origin).toBe(AZURE);
  expect((await findRelay('http://localhost:9071', folder, environment)).masterKey).toBe(
    'of the running one',
  );
  await expect(findRelay(undefined, folder, { MAIL_RELAY_URL: 'relay' })).rejects.toThrow(
    'MAIL_RELAY_URL: expected',
  );
});

test('the key of an application is not taken for the master key, and is named', async () => {
  await expect(findRelay(AZURE, folder, { MAIL_RELAY_KEY: 'of an application' })).rejects.toThrow(
    `Expected the master key of ${AZURE} in the environment variable MAIL_RELAY_MASTER_KEY. ` +
      'MAIL_RELAY_KEY is the function key of an application and does not work here.',
  );
});

test.each(['http://relay.example', 'ftp://localhost', 'relay'])('%s gets no key at all', async (url) => {
  await expect(findRelay(url, folder, { MAIL_RELAY_MASTER_KEY: 'k' })).rejects.toThrow('expected an https');
});

test.each(['', '/', '/api', '/api/mail'])(
  'an address as the relay prints it is its address, with %j after it',
  async (more) => {
    const environment = { MAIL_RELAY_URL: `${AZURE}${more}`, MAIL_RELAY_MASTER_KEY: 'k' };
    expect((await findRelay(undefined, folder, environment)).url.origin).toBe(AZURE);
  },
);

test.each(['/relay', '/api/mail?code=x', '/?code=x', '/#top'])(
  'an address with %s after it is refused, as it would be ignored',
  async (more) => {
    const environment = { MAIL_RELAY_URL: `${AZURE}${more}`, MAIL_RELAY_MASTER_KEY: 'k' };
    await expect(findRelay(undefined, folder, environment)).rejects.toThrow(
      `MAIL_RELAY_URL: expected the address of the relay alone, such as ${AZURE}, received`,
    );
    await expect(findRelay(`${AZURE}${more}`, folder, environment)).rejects.toThrow('--url: expected');
    expect((await findRelay(`${AZURE}/`, folder, environment)).url.origin).toBe(AZURE);
  },
);

test('where none runs, it says how to start one', async () => {
  await expect(findRelay(undefined, folder, {})).rejects.toThrow('Start one with npm start');
});
