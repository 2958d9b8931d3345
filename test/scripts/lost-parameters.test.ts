import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../support/documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'lost-parameters-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Values = Readonly<Record<string, unknown>>;

const toParameters = (values: Values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: 'any', value }]));

/** What this run gives where GitHub has none of the variables that may be missing. */
const DEFAULTS: Values = { name: 'mail-relay', alertRecipients: [], settings: {}, options: {} };

/** Compares as the workflow does; `last` is what az printed, or the deployments of the group, newest first. */
const compare = (
  last: Values | readonly Values[] | string,
  now: Values = {},
  variables: NodeJS.ProcessEnv = {},
) => {
  const files = [join(folder, 'last.json'), join(folder, 'now.json')] as const;
  writeFileSync(
    files[0],
    typeof last === 'string' ? last : JSON.stringify([last].flat().map((values) => toParameters(values))),
  );
  const parametersJson = JSON.stringify({ parameters: toParameters({ ...DEFAULTS, ...now }) });
  writeFileSync(files[1], JSON.stringify({ parametersJson }));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/lost-parameters.ts', ...files], {
    cwd: ROOT,
    encoding: 'utf8',
    env: variables,
  });
  return { status, stderr };
};

const named = (stderr: string): readonly string[] =>
  [...stderr.matchAll(/^ {2}(.+): give it in the variable (\w+)$/gm)].map(
    ([, name, variable]) => `${name} ${variable}`,
  );

test.each<[string, Values | string, Values, NodeJS.ProcessEnv]>([
  ['there was no deployment', '', {}, {}],
  ['az prints null for none', 'null\n', {}, {}],
  ['the last one had only defaults', DEFAULTS, {}, {}],
  ['queues of callers, which stay', { options: { callerQueues: [{ caller: 'payroll' }] } }, {}, {}],
  ['both give the same', { options: { privateNetwork: true } }, { options: { privateNetwork: true } }, {}],
  [
    'a variable changes a value',
    { name: 'mail-relay', alertRecipients: ['a@contoso.com'] },
    { alertRecipients: ['b@contoso.com'] },
    { RELAY_ALERT_RECIPIENTS: 'b@contoso.com' },
  ],
  [
    'an option changes',
    { options: { logRetentionDays: 90 } },
    { options: { logRetentionDays: 30 } },
    { RELAY_OPTIONS: '{"logRetentionDays": 30}' },
  ],
  ['settings are not named, because the template keeps them', { settings: { MAIL_EVENTS: 'queue' } }, {}, {}],
  ['the last version had a parameter that is gone', { callerAuth: 'entra' }, {}, {}],
])('a deployment goes on when %s', (_case, last, now, variables) => {
  expect(compare(last, now, variables)).toEqual({ status: 0, stderr: '' });
});

test.each<[string, Values, Values, NodeJS.ProcessEnv, string]>([
  ['an option', { options: { privateNetwork: true } }, {}, {}, 'options.privateNetwork RELAY_OPTIONS'],
  [
    'one of two options',
    { options: { privateNetwork: true, tags: {} } },
    { options: { tags: {} } },
    { RELAY_OPTIONS: '{"tags": {}}' },
    'options.privateNetwork RELAY_OPTIONS',
  ],
  [
    'the recipients of alerts',
    { alertRecipients: ['it@contoso.com'] },
    {},
    {},
    'alertRecipients RELAY_ALERT_RECIPIENTS',
  ],
  [
    'the recipients, though the variable is blank',
    { alertRecipients: ['it@contoso.com'] },
    { alertRecipients: [''] },
    { RELAY_ALERT_RECIPIENTS: ' ' },
    'alertRecipients RELAY_ALERT_RECIPIENTS',
  ],
  ['the name, which would make a second relay', { name: 'post' }, {}, {}, 'name RELAY_NAME'],
])('a deployment stops that would reset %s', (_case, last, now, variables, expected) => {
  const { status, stderr } = compare(last, now, variables);
  expect(status).toBe(1);
  expect(named(stderr)).toEqual([expected]);
  expect(stderr).toContain('az deployment group list');
  expect(stderr).toContain('"Reset"');
});

test('with several relays in the group, the last deployment of this one counts', () => {
  const prod = { name: 'prod', alertRecipients: ['it@contoso.com'], options: { privateNetwork: true } };
  expect(compare([prod, DEFAULTS, { options: { purgeProtection: true } }]).status).toBe(0);
  expect(named(compare([DEFAULTS, prod], { name: 'Prod' }, { RELAY_NAME: 'Prod' }).stderr)).toHaveLength(2);
  // A relay of another name is asked for: there is nothing yet that it could lose.
  expect(compare([prod], { name: 'test' }, { RELAY_NAME: 'test' }).status).toBe(0);
});

test('it names everything that would be reset, and shows no value', () => {
  const { stderr } = compare({
    name: 'post',
    alertRecipients: ['it@contoso.com'],
    options: { tags: { team: 'hr' } },
  });
  expect(named(stderr)).toHaveLength(3);
  expect(stderr).not.toMatch(/it@contoso\.com|\bhr\b|post/);
});

test('without its two files it says how it is used', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/lost-parameters.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Usage: node scripts\/lost-parameters\.ts LAST NOW/);
});
