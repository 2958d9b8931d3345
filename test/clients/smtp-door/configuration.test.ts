import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readConfiguration } from '../../../clients/smtp-door/src/configuration.ts';
import { folderProblems } from '../../../clients/smtp-door/src/configuration-folders.ts';
import {
  hashPassword,
  isPasswordOf,
  makePassword,
  parsePasswordHash,
} from '../../../clients/smtp-door/src/password-hash.ts';
import { aFolder } from './a-spool.ts';

let passwordHash = '';
beforeAll(async () => {
  passwordHash = await hashPassword('correct horse');
});

const MINIMAL = {
  relay: { url: 'https://func-mail-relay.azurewebsites.net/api' },
  accounts: [{ name: 'scanner', key: 'gmr_abc_secret', networks: ['192.168.10.0/24'] }],
  listeners: [{ port: 2525, tls: 'none' }],
};

const read = (configuration: unknown, files: Record<string, string> = {}, env: Record<string, string> = {}) =>
  readConfiguration('door.json', {
    readFile: async (path) => {
      const text = path === 'door.json' ? JSON.stringify(configuration) : files[path];
      if (text === undefined) throw Object.assign(new Error(), { code: 'ENOENT' });
      return text;
    },
    env,
    hostName: 'mail-host',
  });

const problemsOf = async (
  configuration: unknown,
  ...rest: [Record<string, string>?, Record<string, string>?]
) =>
  read(configuration, ...rest).then(
    () => 'valid',
    (error: Error) => error.message,
  );

describe('a configuration', () => {
  test('needs the relay, an account and a listener, and the rest has safe defaults', async () => {
    const { door, keys, spool, dropFolder, ...rest } = await read(MINIMAL);
    expect(rest).toEqual({
      url: 'https://func-mail-relay.azurewebsites.net/api',
      replyMs: 50_000,
      exposed: [],
      health: { host: '127.0.0.1', port: 9025 },
      drainMs: 30_000,
    });
    expect(door).toEqual({
      name: 'mail-host',
      listeners: [{ host: '127.0.0.1', port: 2525, tls: 'none', plainAuth: false }],
      accounts: [{ name: 'scanner', networks: ['192.168.10.0/24'], replaceFrom: false }],
      maxBytes: 36_700_160,
      maxConnections: 200,
      maxConnectionsPerAddress: 20,
      idleMs: 300_000,
      bareLineEnds: 'mend',
      otherRecipients: 'remove',
    });
    expect([...keys]).toEqual([['scanner', 'gmr_abc_secret']]);
    expect([spool, dropFolder]).toEqual([undefined, undefined]);
  });

  test('takes keys and hashes from files and from the environment, without the line break at their end', async () => {
    const { door, keys } = await read(
      {
        ...MINIMAL,
        accounts: [
          { name: 'erp', key: { file: '/run/secrets/erp' }, passwordHash: { env: 'ERP_HASH' } },
          { name: 'scanner', key: { env: 'SCANNER_KEY' }, networks: ['10.0.0.7'] },
        ],
      },
      { '/run/secrets/erp': 'gmr_erp_x\r\n' },
      { ERP_HASH: passwordHash, SCANNER_KEY: 'function-key==' },
    );
    expect([...keys.values()]).toEqual(['gmr_erp_x', 'function-key==']);
    expect(door.accounts[0]?.passwordHash).toBe(passwordHash);
  });

  test('listens with TLS from the first byte on port 465, and with STARTTLS elsewhere', async () => {
    const { door } = await read({
      ...MINIMAL,
      certificate: { certFile: 'c.pem', keyFile: 'k.pem' },
      listeners: [{ port: 465 }, { port: 587, host: '0.0.0.0' }],
    });
    expect(door.listeners.map(({ tls, host }) => [tls, host])).toEqual([
      ['implicit', '127.0.0.1'],
      ['starttls', '0.0.0.0'],
    ]);
  });

  test('says all of its problems together, and what to write instead', async () => {
    const message = await problemsOf({
      relay: { url: 'http://func-mail-relay.azurewebsites.net', retries: 4 },
      accounts: [{ name: 'big scanner', key: 17, networks: ['0.0.0.0/0', '10.0.0.0/40'], from: 'nobody' }],
      listeners: [{ port: 70_000, tls: 'ssl' }],
      spol: {},
      maxBytes: '5 MB',
    });
    expect(message.split('\n')).toEqual([
      'door.json has 11 problems:',
      expect.stringMatching(
        /^ {2}relay\.url: expected the address of the API .*: https, because the key .*; received "http:/,
      ),
      '  relay: expected one of the fields url, replySeconds; received the unknown field "retries".',
      '  accounts[0].name: expected a name of at most 64 letters, digits, dots, dashes, underscores and @; received "big scanner".',
      '  accounts[0].key: expected a text, { "file": "<path>" } or { "env": "<NAME>" }; received a number.',
      expect.stringContaining(
        'accounts[0].networks[0]: expected a network of at most /8: everyone in it sends',
      ),
      expect.stringContaining('accounts[0].networks[1]: expected a network such as 192.168.10.0/24'),
      '  accounts[0].from: expected an address of email, such as scanner@contoso.example; received "nobody".',
      '  listeners[0].port: expected a whole number from 0 to 65535; received 70000.',
      '  listeners[0].tls: expected "starttls" or "implicit" or "none"; received "ssl".',
      '  maxBytes: expected a whole number from 10000 to 157286400; received "5 MB".',
      expect.stringMatching(
        /^ {2}\(the whole file\): expected one of the fields relay, accounts, .*unknown field "spol"\.$/,
      ),
    ]);
  });

  test.each([
    ['https://relay.example', 'it ends in /api'],
    ['https://relay.example/api/mail', 'it ends in /api'],
    ['https://relay.example/api?code=x', 'with nothing else in it'],
    ['https://user:pass@relay.example/api', 'with nothing else in it'],
    ['relay.example', 'the address of the API'],
    ['http://10.0.0.4/api', 'http is only for a relay on this machine'],
  ])('does not take %s for the relay', async (url, expected) => {
    expect(await problemsOf({ ...MINIMAL, relay: { url } })).toContain(expected);
  });

  test.each(['http://127.0.0.1:7071/api', 'http://localhost:7071/api/', 'https://relay.example/mail/api'])(
    'takes %s for the relay',
    async (url) => {
      expect((await read({ ...MINIMAL, relay: { url } })).url).toBe(url.replace(/\/$/, ''));
    },
  );

  test.each([
    [
      'a listener with TLS has no certificate',
      { listeners: [{ port: 587 }] },
      'listeners[0].tls: expected a "certificate"',
    ],
    [
      'no client can use a listener',
      { accounts: [{ name: 'a', key: 'k', passwordHash: '' }] },
      'listeners[0]: expected TLS, an account with networks',
    ],
    [
      'no client can be an account',
      { accounts: [...MINIMAL.accounts, { name: 'b', key: 'k' }] },
      'accounts[1]: expected passwordHash, networks or both',
    ],
    [
      'two accounts have a name or a network',
      { accounts: [...MINIMAL.accounts, ...MINIMAL.accounts] },
      'accounts[1].networks[0]: expected a network that no other account has',
    ],
    ['nothing is to be received', { listeners: [] }, 'listeners: expected at least one listener'],
    [
      'the drop folder names no account',
      { dropFolder: { folder: 'd', account: 'x' } },
      'dropFolder.account: expected one of the accounts scanner',
    ],
    [
      'From is replaced by nothing',
      { accounts: [{ ...MINIMAL.accounts[0], replaceFrom: true }] },
      'accounts[0].from: expected the address that replaceFrom writes',
    ],
  ])('is refused where %s', async (_, change, expected) => {
    const { accounts: own = MINIMAL.accounts } = change as { readonly accounts?: readonly object[] };
    const accounts = own.map((account) =>
      'passwordHash' in account ? { ...account, passwordHash } : account,
    );
    expect(await problemsOf({ ...MINIMAL, ...change, accounts })).toContain(expected);
  });

  test('never shows a key or a hash in an error', async () => {
    const key = 'gmr_very secret';
    const message = await problemsOf(
      {
        ...MINIMAL,
        accounts: [
          { name: 'a', key, networks: ['10.0.0.1'], passwordHash: 'hunter2' },
          { name: 'b', key: { file: 'k' }, networks: ['10.0.0.2'] },
          { name: 'c', key: { env: 'GONE' }, networks: ['10.0.0.3'] },
          { name: 'd', key: { file: 'gone' }, networks: ['10.0.0.4'] },
          { name: 'e', key: [key], networks: ['10.0.0.5'] },
        ].slice(0, 4),
      },
      { k: key },
    );
    expect(message).not.toContain('secret');
    expect(message).not.toContain('hunter2');
    expect(message.split('\n')).toEqual([
      'door.json has 5 problems:',
      '  accounts[0].key: expected a key of the relay (gmr_...) or a function key, in printable ASCII without blanks; received something else from a text.',
      '  accounts[0].passwordHash: expected $scrypt$ln=14,r=8,p=5$<salt>$<hash>, as `smtp-door hash-password` prints it; received something else from a text.',
      '  accounts[1].key: expected a key of the relay (gmr_...) or a function key, in printable ASCII without blanks; received something else from the file k.',
      '  accounts[2].key: expected a value; received no value of the environment variable GONE.',
      '  accounts[3].key: expected a value; received ENOENT for the file gone.',
    ]);
  });

  test('says where it is not JSON, without quoting it', async () => {
    const world = { env: {}, hostName: 'h', readFile: async () => '{ "key": "gmr_secret", }' };
    await expect(readConfiguration('door.json', world)).rejects.toThrow(
      /^door\.json has 1 problem:\n {2}\(the whole file\): expected JSON, without comments and commas at the end; received something else at position \d+/,
    );
    await expect(readConfiguration('door.json', world)).rejects.not.toThrow(/gmr_secret/);
  });

  test('says that it cannot be read', async () => {
    expect(await problemsOf(undefined)).toContain('door.json has 1 problem');
  });
});

describe('a password', () => {
  test('belongs to its hash, and no other does', async () => {
    expect(await isPasswordOf(passwordHash, 'correct horse')).toBe(true);
    expect(await isPasswordOf(passwordHash, 'correct horse ')).toBe(false);
    expect(await hashPassword('correct horse')).not.toBe(passwordHash);
  });

  test('that is made has letters and digits, and at most 32 of them', () => {
    expect(makePassword()).toMatch(/^[A-Za-z0-9]{20,32}$/);
    expect(makePassword()).not.toBe(makePassword());
  });

  test.each([
    ['another scheme', '$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA'],
    [
      'a hash that takes gigabytes',
      '$scrypt$ln=24,r=32,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
    ],
    ['nothing', ''],
  ])('is never right for %s', async (_, hash) => {
    expect(parsePasswordHash(hash)).toBeUndefined();
    expect(await isPasswordOf(hash, 'x')).toBe(false);
  });
});

test.each<[string, object, string]>([
  [
    'ciphers that OpenSSL does not know',
    { listeners: [{ port: 2525, tls: 'none', ciphers: 'FOO' }] },
    'listeners[0].ciphers: expected ciphers in the notation of OpenSSL',
  ],
  [
    'a network of everyone in the form of IPv6',
    { accounts: [{ name: 'scanner', key: 'k', networks: ['::ffff:0.0.0.0/96'] }] },
    'accounts[0].networks[0]: expected a network of at most',
  ],
  [
    'an address that is none',
    { listeners: [{ host: '999.1.1.1', port: 2525, tls: 'none' }] },
    'listeners[0].host: expected the address to listen on',
  ],
  [
    'a port twice',
    {
      listeners: [
        { port: 2525, tls: 'none' },
        { host: '0.0.0.0', port: 2525, tls: 'none' },
      ],
    },
    'listeners[1].port: expected another port than listeners[0].port for the same address; received 2525 again',
  ],
  [
    'the port of health for a listener',
    { listeners: [{ port: 9025, tls: 'none' }] },
    'health.port: expected another port than listeners[0].port',
  ],
])('a configuration that the door could not start with is not valid: %s', async (_, change, expected) => {
  expect(await problemsOf({ ...MINIMAL, ...change })).toContain(expected);
});

test.each([
  {
    listeners: [
      { port: 2525, tls: 'none' },
      { host: '10.0.0.1', port: 2525, tls: 'none' },
    ],
  },
  {
    listeners: [
      { port: 0, tls: 'none' },
      { port: 0, tls: 'none' },
    ],
  },
  { listeners: [{ host: 'localhost', port: 2525, tls: 'none', ciphers: 'DEFAULT@SECLEVEL=0' }] },
  { accounts: [{ name: 'scanner', key: 'k', networks: ['::ffff:10.0.0.0/104'] }] },
])('a configuration that it can start with is valid: %j', async (change) => {
  expect(await problemsOf({ ...MINIMAL, ...change })).toBe('valid');
});

test('the folder of the spool can be made, and the drop folder is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'smtp-door-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'file');
  await writeFile(file, '');
  const of = async (spool: string, drop: string) => {
    const { spool: one, dropFolder } = await read({
      ...MINIMAL,
      spool: { folder: spool },
      dropFolder: { folder: drop, account: 'scanner' },
    });
    return (await folderProblems({ spool: one, dropFolder })).map(({ at, received }) => `${at} ${received}`);
  };
  expect(await of(join(folder, 'a/b'), folder)).toEqual([]);
  expect(await of(file, join(folder, 'gone'))).toEqual(['spool.folder a file', 'dropFolder.folder ENOENT']);
  expect(await of(join(file, 'spool'), file)).toEqual(['spool.folder ENOTDIR', 'dropFolder.folder a file']);
});

test.skipIf(process.platform === 'win32')(
  'files with a key or a password hash that everyone on the machine can read are named (not on Windows)',
  async () => {
    const folder = await aFolder();
    const [file, key] = [join(folder, 'door.json'), join(folder, 'erp.key')];
    const configure = async (secret: unknown, modeOfFile: number, modeOfKey: number) => {
      await writeFile(key, 'gmr_erp_1\n');
      await writeFile(
        file,
        JSON.stringify({
          relay: { url: 'http://127.0.0.1:7071/api' },
          accounts: [{ name: 'erp', key: secret, networks: ['127.0.0.1'] }],
          listeners: [{ port: 0, tls: 'none' }],
        }),
      );
      await chmod(file, modeOfFile);
      await chmod(key, modeOfKey);
      const world = { readFile: (path: string) => readFile(path, 'utf8'), env: {}, hostName: 'vm' };
      return (await readConfiguration(file, world)).exposed;
    };
    expect(await configure('gmr_erp_1', 0o644, 0o600)).toEqual([file]);
    expect(await configure('gmr_erp_1', 0o640, 0o644)).toEqual([]);
    expect(await configure({ file: key }, 0o644, 0o644)).toEqual([key]);
    expect(await configure({ file: key }, 0o644, 0o600)).toEqual([]);
  },
);
