import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { ROOT } from './support/documents.ts';

const COMMANDS = ['start', 'mail', 'callers', 'doctor', 'chaos', 'explore', 'bench'] as const;
const LONG: ReadonlySet<string> = new Set(['chaos', 'explore', 'bench']);

test.each(COMMANDS)('npm run %s -- --help says how it is used and does nothing else', (name) => {
  const [node, script = ''] = packageJson.scripts[name].split(' ');
  expect(node).toBe('node');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--help'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(
    name === 'start' ? /^Usage: npm start -- / : new RegExp(`^Usage: npm run ${name} -- `),
  );
  if (LONG.has(name)) expect(stdout, 'how long it takes').toMatch(/minutes/);
});

test.each(COMMANDS)(
  'npm run %s says in two lines what is wrong with its options, and where the usage is',
  (name) => {
    const [, script = ''] = packageJson.scripts[name].split(' ');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--nonsense'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const command = name === 'start' ? 'npm start' : `npm run ${name}`;
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `Unknown option '--nonsense'.\nFor the usage: ${command} -- --help\n`,
    });
  },
);

const TWO = ['01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55', '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e56'];

test.each([
  [['list', 'extra'], 'list: expected no id, received extra.'],
  [['list', '--note', 'hi'], 'list: expected no --note, which is for close only.'],
  [['close', ...TWO, '--by', 'me', '--note', 'n'], 'close: expected no --by, which is for forget only.'],
  [['forget'], 'forget: expected the id of an email, received nothing.'],
  [['list', '--content'], 'list: expected no --content, which is for show only.'],
  [['list', '--limit', '0'], '--limit: expected a whole number from 1 to 100000, received 0.'],
  [['list', '--limit', '9', '--all'], 'Expected --limit or --all, received both.'],
  [['list', '--sender', ''], '--sender: expected a value, received nothing.'],
  [['show', '--state', 'held'], 'show: expected no --state, which is for list only.'],
  [['show', '--key', 'k', 'x'], 'show: expected no id, received x.'],
  [['show', 'payroll'], 'or --key, --graph-request, --message-id, received payroll.'],
  [['show', ...TWO], 'show: expected one id, received also:'],
  [['replay'], 'replay: expected the id of an email, received nothing.'],
  [['close', ...TWO], 'close: expected --note "why".'],
  [['show'], 'show: expected the id of an email, or --key'],
])('npm run mail -- %j is refused for what would be ignored or is missing', (args, expected) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/mail.ts', ...args, '--url', 'http://127.0.0.1:9'],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, MAIL_RELAY_MASTER_KEY: 'k' } },
  );
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(expected);
});

test.each([
  [['--from', 'a@b.example'], '--from: expected also --send-to ADDRESS'],
  [['--send-to', ''], '--send-to: expected an address, received nothing.'],
  [['now'], "Unexpected argument 'now'"],
])('npm run doctor -- %j is refused for what would be ignored or is missing', (args, expected) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/doctor.ts', ...args, '--url', 'http://127.0.0.1:9'],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, MAIL_RELAY_MASTER_KEY: 'k' } },
  );
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(expected);
});

test.each([
  [[], 'Expected one of list, show, add, limit,'],
  [['list', 'payroll'], 'list: expected nothing more, received payroll.'],
  [['show'], 'show: expected the name of a caller.'],
  [['revoke-key', 'payroll'], 'revoke-key: expected the name of a caller and the id of a key.'],
  [['add', 'payroll'], 'add: expected --sender ADDRESS.'],
  [['add', 'payroll', '--sender', 'none', '--add-tag', 'x'], 'add: expected options without add-'],
  [['limit', 'payroll'], 'limit: expected a rule'],
  [['limit', 'payroll', '--mails-per-day', 'many'], '--mails-per-day: expected a whole number or none'],
  [['limit', 'payroll', '--tag', 'a', '--add-tag', 'b'], 'Expected --tag or --add-tag, received both.'],
  [['limit', 'payroll', '--tag', 'none', '--tag', 'b'], '--tag: expected none alone, received more.'],
  [['disable', 'payroll', '--owner', 'a@b.example'], 'disable: expected no rules'],
  [['enable', 'payroll', '--yes'], 'enable: expected no --yes'],
  [['remove', 'payroll'], 'To remove it, add --yes.'],
  [
    ['add', 'erp', '--sender', 'none', '--function-key'],
    '--function-key: expected the key in the environment',
  ],
])('npm run callers -- %j is refused for what would be ignored or is missing', (args, expected) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/callers.ts', ...args, '--url', 'http://127.0.0.1:9'],
    { cwd: ROOT, encoding: 'utf8', input: '', env: { ...process.env, MAIL_RELAY_MASTER_KEY: 'k' } },
  );
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(expected);
});
