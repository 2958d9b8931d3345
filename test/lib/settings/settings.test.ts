import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import hostJson from '../../../host.json' with { type: 'json' };
import { AppError } from '../../../src/lib/errors.ts';
import { matchesAny } from '../../../src/lib/mail/address-pattern.ts';
import {
  exampleOf,
  FUNCTION_TIMEOUT_SECONDS,
  readSettings,
  type Setting,
  type SettingName,
  settingsTable,
  strayNames,
} from '../../../src/lib/settings/settings.ts';
import { readFunctionTimeout } from '../../../src/lib/settings/settings-together.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const enough = {
  ENTRA_TENANT_ID: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  KEY_VAULT_URL: 'https://kv-relay.vault.azure.net/',
  MAIL_DEFAULT_SENDER: 'Contoso <noreply@contoso.example>',
  AzureWebJobsStorage__accountName: 'stmailrelay',
};

const MAIL_WEBHOOKS = '[{"name":"crm","url":"https://crm.example/hook"}]';

describe('webhooks', () => {
  test('are off, and read as a list', () => {
    expect(readSettings(enough)).toMatchObject({ MAIL_EVENTS: 'off', MAIL_WEBHOOKS: [] });
    expect(readSettings({ ...enough, MAIL_WEBHOOKS }).MAIL_WEBHOOKS).toEqual([
      { name: 'crm', url: 'https://crm.example/hook', secretName: 'webhook-secret-crm' },
    ]);
  });

  test('need a vault also where sending needs none', () => {
    const without = { ...enough, KEY_VAULT_URL: '', GRAPH_CREDENTIAL: 'managed-identity' };
    expect(readSettings(without).MAIL_WEBHOOKS).toEqual([]);
    expect(problemsOf(() => readSettings({ ...without, MAIL_WEBHOOKS }))).toEqual([
      'SETTINGS_INVALID KEY_VAULT_URL',
    ]);
  });

  test('that are wrong are named by their place', () => {
    const wrong = MAIL_WEBHOOKS.replace('https:', 'http:');
    expect(problemsOf(() => readSettings({ ...enough, MAIL_WEBHOOKS: wrong }))).toEqual([
      'SETTINGS_INVALID MAIL_WEBHOOKS/0/url',
    ]);
  });

  test.each([
    [
      'a comma too many',
      MAIL_WEBHOOKS.replace(']', ',]'),
      'a comma before a ] or }, which JSON does not allow',
    ],
    ['one object', MAIL_WEBHOOKS.slice(1, -1), 'object'],
  ])('that are no list say what was received: %s', (_what, value, received) => {
    const { facts } = errorOf(() => readSettings({ ...enough, MAIL_WEBHOOKS: value }));
    expect(facts.problems).toMatchObject([
      { pointer: 'MAIL_WEBHOOKS', expected: 'a JSON list of webhooks', received },
    ]);
  });
});

describe('settings', () => {
  test('five are enough, the others have defaults', () => {
    expect(readSettings(enough)).toMatchObject({
      KEY_VAULT_URL: 'https://kv-relay.vault.azure.net',
      MAIL_DEFAULT_SENDER: { name: 'Contoso', address: 'noreply@contoso.example' },
      MAIL_ALLOWED_SENDERS: [],
      MAIL_ENABLED: true,
      MAIL_ON_UNKNOWN: 'verify',
      SECRET_WARNING_DAYS: [60, 30, 14, 7, 3, 1],
      GRAPH_CREDENTIAL: 'client-secret',
      GRAPH_CONNECTIONS: [],
      AZURE_CLIENT_ID: undefined,
    });
  });

  test('all problems come at once', () => {
    expect(problemsOf(() => readSettings({ MAIL_ENABLED: 'yes' }))).toEqual([
      'SETTINGS_INVALID ENTRA_TENANT_ID',
      'SETTINGS_INVALID ENTRA_CLIENT_ID',
      'SETTINGS_INVALID MAIL_DEFAULT_SENDER',
      'SETTINGS_INVALID MAIL_ENABLED',
      'SETTINGS_INVALID AzureWebJobsStorage__accountName',
      'SETTINGS_INVALID KEY_VAULT_URL',
    ]);
  });

  test.each<[SettingName, string]>([
    ['ENTRA_TENANT_ID', 'contoso'],
    ['ENTRA_CLIENT_ID', 'the-app'],
    ['ENTRA_AUTHORITY', 'http://login.microsoftonline.com'],
    ['GRAPH_ENDPOINT', 'https://graph.microsoft.com/v1.0'],
    ['KEY_VAULT_URL', 'https://user@kv.vault.azure.net'],
    ['CLIENT_SECRET_NAME', '../other'],
    ['MAIL_DEFAULT_SENDER', 'a@b.example, c@d.example'],
    ['MAIL_ALLOWED_SENDERS', '*@*'],
    ['MAIL_ALLOWED_SENDERS', '*'],
    ['MAIL_GIVE_UP_HOURS', '1.5'],
    ['MAIL_GIVE_UP_HOURS', '0'],
    ['SECRET_WARNING_DAYS', '30,-1'],
    ['SECRET_WARNING_RECIPIENTS', 'ops'],
    ['MAIL_ON_UNKNOWN', 'retry'],
    ['MAIL_EVENTS', 'on'],
    ['MAIL_REDIRECT_TO', 'a@b.example, c@d.example'],
    ['MAIL_RECIPIENT_DOMAINS', ','],
    ['MAIL_RECIPIENT_DOMAINS', '*'],
    ['MAIL_RECIPIENT_DOMAINS', '*.contoso.com'],
    ['MAIL_RECIPIENT_DOMAINS', '*@contoso.com'],
    ['MAIL_RECIPIENT_DOMAINS', '@contoso.com'],
    ['MAIL_RECIPIENT_DOMAINS', 'contoso'],
    ['MAIL_RECIPIENT_DOMAINS', 'contoso.com; fabrikam.com'],
    ['MAIL_OTHER_RECIPIENTS', 'drop'],
    ['MAIL_CAPTURE', 'yes'],
  ])('%s may not be %s, and the error does not show it', (name, value) => {
    const error = errorOf(() => readSettings({ ...enough, [name]: value }));
    expect(error.facts.problems).toHaveLength(1);
    expect(error.facts.problems?.[0]).toMatchObject({
      pointer: name,
      received: `text of ${value.length} character${value.length === 1 ? '' : 's'}`,
    });
  });

  test('a domain of MAIL_RECIPIENT_DOMAINS stands for its addresses, and not for its subdomains', () => {
    const { MAIL_RECIPIENT_DOMAINS = [] } = readSettings({
      ...enough,
      MAIL_RECIPIENT_DOMAINS: 'Contoso.example, tester@fabrikam.example',
    });
    const reached = ['a@contoso.EXAMPLE', 'tester@fabrikam.example'];
    const others = ['a@sub.contoso.example', 'b@fabrikam.example', 'a@notcontoso.example'];
    expect([...reached, ...others].filter((one) => matchesAny(MAIL_RECIPIENT_DOMAINS, one))).toEqual(reached);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['MAIL_OTHER_RECIPIENTS', { MAIL_OTHER_RECIPIENTS: 'capture' }],
    ['MAIL_REDIRECT_TO', { MAIL_REDIRECT_TO: 'a@gmail.example', MAIL_RECIPIENT_DOMAINS: 'contoso.example' }],
  ])(
    '%s is invalid where it contradicts MAIL_RECIPIENT_DOMAINS: nothing is sent until it is corrected',
    (name, more) => {
      expect(problemsOf(() => readSettings({ ...enough, ...more }))).toEqual([`SETTINGS_INVALID ${name}`]);
    },
  );

  test('several settings for test environments can be on: those that reach fewer people win', () => {
    const on = {
      MAIL_CAPTURE: 'true',
      MAIL_REDIRECT_TO: 'Tests <test@contoso.example>',
      MAIL_RECIPIENT_DOMAINS: 'contoso.example',
      MAIL_OTHER_RECIPIENTS: 'capture',
    };
    expect(readSettings({ ...enough, ...on })).toMatchObject({
      MAIL_CAPTURE: true,
      MAIL_REDIRECT_TO: { name: 'Tests', address: 'test@contoso.example' },
      MAIL_RECIPIENT_DOMAINS: ['*@contoso.example'],
    });
  });

  test.each([
    ['no JSON', 'payroll', ['MAIL_CALLERS']],
    ['one caller and no list', '{"name":"payroll"}', ['MAIL_CALLERS']],
    [
      'wrong callers, each with every problem',
      '[{"name":"canary-","mailsPerDay":0},{"name":"erp"},{"name":"erp","senders":["canary"]}]',
      ['MAIL_CALLERS/0/name', 'MAIL_CALLERS/0/mailsPerDay', 'MAIL_CALLERS/2/senders/0'],
    ],
    [
      'senders that the settings do not allow',
      '[{"name":"payroll","senders":["noreply@contoso.example","canary@contoso.example"]}]',
      ['MAIL_CALLERS/0/senders/1'],
    ],
  ])('MAIL_CALLERS may not have %s, and the error shows no value', (_what, MAIL_CALLERS, pointers) => {
    const { facts } = errorOf(() => readSettings({ ...enough, MAIL_CALLERS }));
    expect(facts.problems?.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(
      pointers.map((pointer) => `SETTINGS_INVALID ${pointer}`),
    );
    expect(JSON.stringify(facts)).not.toContain('canary');
  });

  test('MAIL_CALLERS declares callers, or none', () => {
    const MAIL_CALLERS = '[{"name":"payroll","mailsPerDay":5},{"name":"function-keys","disabled":true}]';
    expect(readSettings({ ...enough, MAIL_CALLERS }).MAIL_CALLERS).toMatchObject([
      { name: 'payroll', rules: { mailsPerDay: 5, recipients: ['*'], isDisabled: false } },
      { name: 'function-keys', rules: { isDisabled: true } },
    ]);
    for (const none of ['', '[]'])
      expect(readSettings({ ...enough, MAIL_CALLERS: none }).MAIL_CALLERS).toEqual([]);
  });

  test('every example is a value its parser takes', () => {
    for (const definition of Object.values<Setting<unknown>>(settingsTable))
      expect(() => definition.parse(exampleOf(definition))).not.toThrow();
  });

  test('storage alone can be read while the others are wrong', () => {
    expect(readSettings({ AzureWebJobsStorage: 'x' }, ['AzureWebJobsStorage'])).toEqual({
      AzureWebJobsStorage: 'x',
    });
  });
});

describe('settings that are checked against each other and against host.json', () => {
  const problems = (settings: Record<string, string>, functionTimeoutSeconds?: number): readonly string[] => {
    const read = () => readSettings({ ...enough, ...settings }, undefined, functionTimeoutSeconds);
    return problemsOf(() => {
      read();
      throw new AppError('SETTINGS_INVALID', { problems: [] });
    });
  };

  test.each<[string, Record<string, string>, readonly SettingName[]]>([
    ['the defaults', {}, []],
    [
      'a limit below functionTimeout, at which mails were sent twice',
      { MAIL_SENDING_LIMIT_SECONDS: '10', GRAPH_TIMEOUT_SECONDS: '60' },
      ['MAIL_SENDING_LIMIT_SECONDS'],
    ],
    ['a limit of functionTimeout', { MAIL_SENDING_LIMIT_SECONDS: '300' }, ['MAIL_SENDING_LIMIT_SECONDS']],
    ['a limit just above it', { MAIL_SENDING_LIMIT_SECONDS: '301' }, []],
    ['two attempts that end before Azure ends the HTTP request', { GRAPH_TIMEOUT_SECONDS: '99' }, []],
    ['and two that do not', { GRAPH_TIMEOUT_SECONDS: '100' }, ['GRAPH_TIMEOUT_SECONDS']],
    ['a minute to look for a mail', { MAIL_VERIFY_SECONDS: '60' }, []],
    ['less than a minute', { MAIL_VERIFY_SECONDS: '59' }, ['MAIL_VERIFY_SECONDS']],
    [
      'less than a minute, where Graph is on this machine',
      { MAIL_VERIFY_SECONDS: '4', GRAPH_ENDPOINT: 'https://127.0.0.1:8443' },
      [],
    ],
    [
      'looking for longer than a mail is tried',
      { MAIL_VERIFY_SECONDS: '3600', MAIL_GIVE_UP_HOURS: '1' },
      ['MAIL_VERIFY_SECONDS'],
    ],
    [
      'a ledger that remembers a day longer than a mail is tried',
      { MAIL_LEDGER_DAYS: '8', MAIL_GIVE_UP_HOURS: '168' },
      [],
    ],
    [
      'and one that does not: Storage would delete the content of mails that wait',
      { MAIL_LEDGER_DAYS: '7', MAIL_GIVE_UP_HOURS: '168' },
      ['MAIL_LEDGER_DAYS'],
    ],
    [
      'everything at once',
      { GRAPH_TIMEOUT_SECONDS: '200', MAIL_SENDING_LIMIT_SECONDS: '1', MAIL_VERIFY_SECONDS: '1' },
      ['GRAPH_TIMEOUT_SECONDS', 'MAIL_SENDING_LIMIT_SECONDS', 'MAIL_VERIFY_SECONDS'],
    ],
  ])('%s', (_case, settings, names) => {
    expect(problems(settings)).toEqual(names.map((name) => `SETTINGS_INVALID ${name}`));
  });

  test('another functionTimeout moves the bounds with it, and none at all leaves no good limit', () => {
    expect(problems({ GRAPH_TIMEOUT_SECONDS: '50' }, 100)).toEqual([
      'SETTINGS_INVALID GRAPH_TIMEOUT_SECONDS',
    ]);
    expect(problems({ GRAPH_TIMEOUT_SECONDS: '2', MAIL_SENDING_LIMIT_SECONDS: '18' }, 17)).toEqual([]);
    expect(problems({}, readFunctionTimeout('-1'))).toEqual(['SETTINGS_INVALID MAIL_SENDING_LIMIT_SECONDS']);
  });

  test('whatever is accepted: an attempt has ended before functionTimeout, and that before it counts as lost', () => {
    const seconds = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), seconds, seconds, (graph, sending, timeout) => {
        const settings = { GRAPH_TIMEOUT_SECONDS: `${graph}`, MAIL_SENDING_LIMIT_SECONDS: `${sending}` };
        let accepted = true;
        try {
          readSettings({ ...enough, ...settings }, undefined, timeout);
        } catch {
          accepted = false;
        }
        const token = Math.min(15, 3 * graph);
        expect(accepted).toBe(2 * (graph + token) < Math.min(230, timeout) && sending > timeout);
      }),
    );
  });

  test('each says why', () => {
    const error = errorOf(() => readSettings({ ...enough, MAIL_SENDING_LIMIT_SECONDS: '10' }));
    expect(error.facts.problems?.[0]).toMatchObject({
      expected: expect.stringMatching(/300 s.*send the email twice/),
      received: 'text of 2 characters',
    });
  });

  test('the functionTimeout that is assumed elsewhere is that of host.json', () => {
    expect(readFunctionTimeout(hostJson.functionTimeout)).toBe(FUNCTION_TIMEOUT_SECONDS);
  });

  test('host.json keeps a burst of large mails within the memory of an instance', () => {
    const { maxConcurrentRequests, maxOutstandingRequests } = hostJson.extensions.http;
    // A request has at most 8 MB, an instance 2 GB, of which the platform takes some.
    expect(maxConcurrentRequests).toBeLessThanOrEqual(32);
    expect(maxOutstandingRequests * 8).toBeLessThanOrEqual(1000);
  });
});

describe('names that no setting has', () => {
  const read = (name: string) => readSettings({ ...enough, [name]: '10' });

  test.each([
    ['MAIL_PER_MINUT', 'MAIL_PER_MINUTE_PER_MAILBOX'],
    ['MAIL_PER_MINUTE', 'MAIL_PER_MINUTE_PER_MAILBOX'],
    ['MAIL_ENABLE', 'MAIL_ENABLED'],
    ['MAIL_ENABELD', 'MAIL_ENABLED'],
    ['mail_enabled', 'MAIL_ENABLED'],
    ['MAIL_LEDGER_DAY', 'MAIL_LEDGER_DAYS'],
    ['GRAPH_TIME_OUT_SECONDS', 'GRAPH_TIMEOUT_SECONDS'],
    ['SECRET_WARNING_RECIPIENT', 'SECRET_WARNING_RECIPIENTS'],
    ['ENTRA_TENANTID', 'ENTRA_TENANT_ID'],
    ['KEY_VAULT_URI', 'KEY_VAULT_URL'],
  ])('%s is refused by name, with %s beside it', (name, nearest) => {
    expect(errorOf(() => read(name)).facts.problems).toEqual([
      {
        code: 'SETTINGS_INVALID',
        pointer: name,
        expected: `the name of a setting, such as ${nearest}`,
        received: 'an unknown name',
      },
    ]);
  });

  test('any setting with one character left out, doubled or changed is refused', () => {
    const names = Object.keys(settingsTable).filter((name) => /^(MAIL|GRAPH|ENTRA|SECRET)_/.test(name));
    const slip = fc.constantFrom(
      (name: string, at: number) => name.slice(0, at) + name.slice(at + 1),
      (name: string, at: number) => `${name.slice(0, at)}${name[at]}${name.slice(at)}`,
      (name: string, at: number) => `${name.slice(0, at)}9${name.slice(at + 1)}`,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        slip,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, make, part) => {
          // Behind the prefix, without which it may belong to anything.
          const begin = 'SECRET_WARNING_'.length;
          const at = Math.min(
            name.length - 1,
            Math.max(name.startsWith('SECRET') ? begin : 6, Math.floor(part * name.length)),
          );
          expect(errorOf(() => read(make(name, at))).facts.problems?.[0]?.expected).toContain(name);
        },
      ),
    );
  });

  test.each([
    'GRAPH_CONNECTIONS_FABRIKAM',
    'GRAPH_CONECTION_X',
    'GRAPH_CONNECTON_HR_PRO',
    'GRAPH_CONNECTION-FABRIKAM',
    'graph_conection_fabrikam',
    'GRPAH_CONNECTION_FABRIKAM',
    'GRAPHCONNECTION_FABRIKAM',
  ])('%s, meant for a connection, is refused: its senders would be sent for by another', (name) => {
    expect(errorOf(() => readSettings({ ...enough, [name]: '{}' })).facts.problems).toEqual([
      {
        code: 'SETTINGS_INVALID',
        pointer: name,
        expected: 'the name of a setting, such as GRAPH_CONNECTION_<NAME>',
        received: 'an unknown name',
      },
    ]);
  });

  test.each(['GRAPH_CONNECTIONX', 'GRAPH_CONNECTON', 'GRAPH_CONNECTION'])('%s is refused too', (name) => {
    expect(() => readSettings({ ...enough, [name]: '{}' })).toThrow();
  });

  test('others with our beginnings do not stop the relay, and are told', () => {
    const strays = { GRAPH_PORT: '1', MAIL_HOST: 'x', KEY_VAULT_PORT: '2', GRAPH_CLIENT_SECRET: 'x' };
    expect(() => readSettings({ ...enough, ...strays })).not.toThrow();
    expect(strayNames({ ...enough, ...strays, PATH: '/bin', MAILTO: 'x' })).toEqual(Object.keys(strays));
  });

  test('wrong values, slips and missing settings come at once', () => {
    expect(
      problemsOf(() =>
        readSettings({ ...enough, KEY_VAULT_URL: '', MAIL_ENABLED: 'yes', MAIL_PER_MINUT: '5' }),
      ),
    ).toEqual([
      'SETTINGS_INVALID MAIL_ENABLED',
      'SETTINGS_INVALID KEY_VAULT_URL',
      'SETTINGS_INVALID MAIL_PER_MINUT',
    ]);
  });
});
