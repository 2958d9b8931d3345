import fc from 'fast-check';
import { expect, test } from 'vitest';
import { credentialOf, localCaptures, localSafetyOn, readLocalSettings } from '../../local/relay-settings.ts';
import { settingsTable } from '../../src/lib/settings/settings.ts';

test.each([
  ['MAIL_PER_MINUT', 'MAIL_PER_MINUTE_PER_MAILBOX'],
  ['MAIL_ENABLD', 'MAIL_ENABLED'],
  ['GRAPH_TIMEOUT_SECOND', 'GRAPH_TIMEOUT_SECONDS'],
  ['SECRET_WARNING_DAY', 'SECRET_WARNING_DAYS'],
  ['ENTRA_TENANTID', 'ENTRA_TENANT_ID'],
  ['KEY_VAULT_URI', 'KEY_VAULT_URL'],
])('%s is taken for %s, and has to be mended first', (name, nearest) => {
  const { problems, settings } = readLocalSettings({ [name]: '5' });
  expect(problems).toEqual([`${name} is not a setting of the relay. Did you mean ${nearest}?`]);
  expect(settings).toEqual({});
});

test.each(['GRAPH_EXPLORER_HOME', 'MAIL_SPOOL_DIRECTORY_OF_ANOTHER_TOOL'])(
  '%s belongs to something else, and is only mentioned',
  (name) => {
    expect(readLocalSettings({ [name]: 'x' })).toEqual({
      settings: {},
      problems: [],
      remarks: [`${name} is not a setting of the relay (docs/settings.md) and has no effect.`],
    });
  },
);

test.each([
  'MAIL_RELAY_KEY',
  'MAIL_RELAY_URL',
  'MAIL_RELAY_MASTER_KEY',
  'GRAPH_PORT',
  'ENTRA_PORT',
  'KEY_VAULT_PORT',
  'GRAPH_CLIENT_SECRET',
  'FUNCTIONS_PORT',
  'MAIL',
])('%s is of a tool, and not a word is said of it', (name) => {
  expect(readLocalSettings({ [name]: 'x' })).toEqual({ settings: {}, problems: [], remarks: [] });
});

test('what the relay may be told is handed on, and what the local cloud says of itself is not', () => {
  const { settings, problems } = readLocalSettings({
    MAIL_ON_UNKNOWN: 'resend',
    GRAPH_TIMEOUT_SECONDS: '5',
    MAIL_RELAY_KEY: 'a secret of an application',
    GRAPH_ENDPOINT: 'https://graph.microsoft.com',
  });
  expect(settings).toEqual({ MAIL_ON_UNKNOWN: 'resend', GRAPH_TIMEOUT_SECONDS: '5' });
  expect(problems).toEqual([]);
});

test('every value that is wrong is told, by name', () => {
  const { problems } = readLocalSettings({ MAIL_ENABLED: 'yes', MAIL_GIVE_UP_HOURS: '0' });
  expect(problems.map((line) => line.split(':')[0])).toEqual(['MAIL_ENABLED', 'MAIL_GIVE_UP_HOURS']);
});

test('a name with one letter missing is always found again', () => {
  const names = Object.keys(settingsTable).filter((name) => name.startsWith('MAIL_'));
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), (name, seed) => {
      const at = 5 + (seed % (name.length - 5));
      const cut = name.slice(0, at) + name.slice(at + 1);
      fc.pre(cut !== 'MAIL_' && !names.includes(cut));
      expect(readLocalSettings({ [cut]: '1' }).problems).toHaveLength(1);
    }),
  );
});

test.each([
  ['MAIL_SENDING_LIMIT_SECONDS', '300'],
  ['GRAPH_TIMEOUT_SECONDS', '150'],
])('%s is checked against the others and host.json before anything starts', (name, value) => {
  expect(readLocalSettings({ [name]: value }).problems).toEqual([expect.stringContaining(name)]);
});

test('what keeps emails from their recipients is what the environment says, and nothing else', () => {
  const onIn = (environment: Record<string, string>) =>
    localSafetyOn(readLocalSettings(environment).settings);
  expect(onIn({})).toEqual([]);
  expect(onIn({ MAIL_REDIRECT_TO: 'test@contoso.example' })).toEqual(['MAIL_REDIRECT_TO']);
});

test('whether emails are captured is what the environment says too', () => {
  const captures = (environment: Record<string, string>) =>
    localCaptures(readLocalSettings(environment).settings);
  expect(captures({})).toBe(false);
  expect(captures({ MAIL_RECIPIENT_DOMAINS: 'contoso.example' })).toBe(false);
  expect(captures({ MAIL_CAPTURE: 'true' })).toBe(true);
  expect(captures({ MAIL_RECIPIENT_DOMAINS: 'contoso.example', MAIL_OTHER_RECIPIENTS: 'capture' })).toBe(
    true,
  );
});

test('settings that contradict each other must be corrected first', () => {
  expect(readLocalSettings({ MAIL_OTHER_RECIPIENTS: 'capture' }).problems).toEqual([
    expect.stringMatching(/^MAIL_OTHER_RECIPIENTS: expected refuse, or also MAIL_RECIPIENT_DOMAINS/),
  ]);
});

test.each([
  [{}, 'client-secret'],
  [{ GRAPH_CREDENTIAL: 'federated' }, 'federated'],
])('of %j, the credential is %s', (given, credential) => {
  const { settings, problems } = readLocalSettings(given);
  expect([credentialOf(settings), problems]).toEqual([credential, []]);
});

test('a kind of credential that there is not is the only problem that is told', () => {
  const { problems } = readLocalSettings({ GRAPH_CREDENTIAL: 'secret' });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^GRAPH_CREDENTIAL: expected client-secret, certificate/);
});
