import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findBicep } from '../../scripts/bicep-cli.ts';
import { canHaveQueue } from '../../src/lib/callers/caller-queues.ts';
import { startBicepServer } from '../support/bicep-server.ts';
import { TOOLS_MS } from '../support/patience.ts';

const INFRA = join(import.meta.dirname, '../../infra');
const bicep = findBicep();
const folder = mkdtempSync(join(tmpdir(), 'relay-bicep-'));
afterAll(() => rmSync(folder, { recursive: true }));

const server = bicep && startBicepServer(bicep.command);
afterAll(() => server?.close());

// The compiler predicts nothing of what a secure parameter is part of. So the settings are evaluated as if theirs were ordinary ones.
const MODULES = join(folder, 'modules');
cpSync(join(INFRA, 'modules'), MODULES, { recursive: true });
const settingsModule = readFileSync(join(MODULES, 'app-settings.bicep'), 'utf8');
writeFileSync(
  join(MODULES, 'app-settings.bicep'),
  settingsModule.replaceAll(/^@secure\(\)$/gm, '#disable-next-line secure-secrets-in-params'),
);

let files = 0;
/** What the compiler predicts for these parameters, or what it complains of. */
const evaluate = async (template: string, parameters: Readonly<Record<string, unknown>>) => {
  files += 1;
  const file = join(folder, `${files}.bicepparam`);
  const values = Object.entries(parameters).map(
    ([name, value]) => `param ${name} = json('${JSON.stringify(value)}')\n`,
  );
  writeFileSync(
    file,
    `using '${relative(folder, template.startsWith('modules/') ? join(folder, template) : join(INFRA, template))}'\n${values.join('')}`,
  );
  const { said = '', snapshot } = (await server?.predict(file)) ?? {};
  if (snapshot === undefined) return { said, resources: [] };
  const { predictedResources } = JSON.parse(snapshot) as {
    predictedResources: { type: string; properties: Record<string, string> }[];
  };
  return { said, resources: predictedResources };
};

test('where Bicep is required, it is there', () => {
  if (process.env.REQUIRE_INFRA_TOOLS === '1')
    expect(bicep, 'bicep is not on the PATH, and REQUIRE_INFRA_TOOLS is 1').toBeDefined();
});

describe.skipIf(bicep === undefined)(
  `as Bicep evaluates it${bicep === undefined ? ' (skipped: bicep is not installed)' : ''}`,
  { timeout: TOOLS_MS },
  () => {
    const settingsOf = async (
      currentSettings: Readonly<Record<string, string>>,
      settings: Readonly<Record<string, string>>,
      alertRecipients = '',
      fixedSettings: Readonly<Record<string, string>> = {},
      callersWithQueues: readonly string[] = [],
      { cloud = 'AzureCloud', currentSecrets = {}, secretSettings = {} } = {},
    ) => {
      const { resources } = await evaluate('modules/app-settings.bicep', {
        appName: 'func-relay',
        currentSettings,
        settings,
        alertRecipients,
        fixedSettings,
        callersWithQueues,
        cloud,
        currentSecrets,
        secretSettings,
        storageByName: STORAGE_BY_NAME,
        storageByAddress: STORAGE_BY_ADDRESS,
      });
      return resources.find(({ type }) => type === 'Microsoft.Web/sites/config')?.properties;
    };
    const STORAGE_BY_NAME = { AzureWebJobsStorage__accountName: 'strelay' };
    const STORAGE_BY_ADDRESS = Object.fromEntries(
      ['blob', 'queue', 'table'].map((service) => [
        `AzureWebJobsStorage__${service}ServiceUri`,
        `https://strelay.${service}.core.example`,
      ]),
    );

    test('of a setting the deployment wins over what the app has, an empty value is left out, and fixed settings win over both', async () => {
      expect(
        await settingsOf(
          { MAIL_EVENTS: 'queue', MAIL_ENABLED: 'false', ENTRA_CLIENT_ID: 'old', MAIL_LEDGER_DAYS: '30' },
          { MAIL_EVENTS: 'off', MAIL_ENABLED: '' },
          '',
          { ENTRA_CLIENT_ID: 'new' },
        ),
      ).toEqual({
        ...STORAGE_BY_NAME,
        MAIL_EVENTS: 'off',
        ENTRA_CLIENT_ID: 'new',
        MAIL_LEDGER_DAYS: '30',
      });
    });

    test.each<[string, string, Record<string, string>, string | undefined]>([
      ['AzureUSGovernment', 'is the one in which the app runs', {}, 'usgov'],
      ['AzureChinaCloud', 'is the one in which the app runs', {}, 'china'],
      ['AzureCloud', 'is not set where it is the usual one', {}, undefined],
      ['AzureUSGovernment', 'stays as it was named', { GRAPH_CLOUD: 'dod' }, 'dod'],
      [
        'AzureUSGovernment',
        'follows from an address',
        { GRAPH_ENDPOINT: 'https://dod-graph.microsoft.us' },
        undefined,
      ],
    ])('in %s, GRAPH_CLOUD %s', async (cloud, _rule, current, expected) => {
      expect((await settingsOf(current, {}, '', {}, [], { cloud }))?.GRAPH_CLOUD).toBe(expected);
    });

    test('a secret setting stays as it is where none is given, and an empty value removes it', async () => {
      const HOOK = { SECRET_WARNING_WEBHOOK: 'https://hooks.example/one' };
      const NEW = { SECRET_WARNING_WEBHOOK: 'https://hooks.example/two' };
      const none = { SECRET_WARNING_WEBHOOK: '' };
      const given = async (secretSettings: Record<string, string>) =>
        await settingsOf({}, {}, '', {}, [], { currentSecrets: HOOK, secretSettings });
      expect(await given({})).toEqual({ ...STORAGE_BY_NAME, ...HOOK });
      expect(await given(NEW)).toEqual({ ...STORAGE_BY_NAME, ...NEW });
      expect(await given(none)).toEqual(STORAGE_BY_NAME);
    });

    test.each<[string, Record<string, string>, Record<string, string>, Record<string, string>]>([
      ['stays where none is given', { HTTPS_PROXY: 'http://one' }, {}, { HTTPS_PROXY: 'http://one' }],
      [
        'stays under its name in lower case',
        { https_proxy: 'http://one' },
        {},
        { https_proxy: 'http://one' },
      ],
      [
        'gives way to the one of a deployment, under either name',
        { https_proxy: 'http://one', HTTPS_PROXY: 'http://other' },
        { HTTPS_PROXY: 'http://two' },
        { HTTPS_PROXY: 'http://two' },
      ],
      ['ends with an empty value, under either name', { https_proxy: 'http://one' }, { HTTPS_PROXY: '' }, {}],
    ])('a proxy %s', async (_rule, currentSecrets, secretSettings, expected) => {
      const all = await settingsOf({}, {}, '', {}, [], { currentSecrets, secretSettings });
      expect(all).toEqual({ ...STORAGE_BY_NAME, ...expected });
    });

    test('hosts without a proxy stay too, and a deployment changes them under either name', async () => {
      const direct = async (settings: Record<string, string>) =>
        await settingsOf({ no_proxy: '.one' }, settings);
      expect(await direct({})).toEqual({ ...STORAGE_BY_NAME, no_proxy: '.one' });
      expect(await direct({ NO_PROXY: '.two' })).toEqual({ ...STORAGE_BY_NAME, NO_PROXY: '.two' });
    });

    const OWN_ADDRESS = { AzureWebJobsStorage__queueServiceUri: 'https://strelay.z7.queue.storage.example' };
    test.each<[string, string, Record<string, string>, Record<string, string>, Record<string, string>]>([
      ['its name', 'AzureCloud', {}, {}, STORAGE_BY_NAME],
      ['its name', 'AzureCloud', { GRAPH_CLOUD: 'global' }, {}, STORAGE_BY_NAME],
      ['its addresses in another cloud than the global one', 'AzureChinaCloud', {}, {}, STORAGE_BY_ADDRESS],
      [
        'its addresses for a tenant in another cloud',
        'AzureCloud',
        { GRAPH_CLOUD: 'china' },
        {},
        STORAGE_BY_ADDRESS,
      ],
      [
        'its addresses as soon as one is given',
        'AzureCloud',
        {},
        { GRAPH_CLOUD: 'usgov' },
        STORAGE_BY_ADDRESS,
      ],
      [
        'the addresses that the app has, and never its name beside them',
        'AzureCloud',
        OWN_ADDRESS,
        {},
        { ...STORAGE_BY_ADDRESS, ...OWN_ADDRESS },
      ],
    ])('storage is set by %s', async (_rule, cloud, current, settings, expected) => {
      const all = (await settingsOf(current, settings, '', {}, [], { cloud })) ?? {};
      expect(
        Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('AzureWebJobsStorage'))),
      ).toEqual(expected);
    });

    test.each([
      ['AzureCloud', ['apac', 'emea', 'us']],
      ['AzureUSGovernment', ['usgov', 'usgov', 'usgov']],
      ['AzureChinaCloud', ['mc', 'mc', 'mc']],
    ])(
      'in %s, the health of the app is tested from three different regions of that cloud',
      async (cloud, expected) => {
        const { resources } = await evaluate('modules/alerts.bicep', {
          name: 'relay',
          location: 'here',
          componentId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/c',
          installedOn: '2026-01-01T00:00:00Z',
          recipients: [],
          appUrl: 'https://app.example',
          availabilityTest: true,
          cloud,
          tags: {},
        });
        const healthTest = resources.find(({ type }) => type === 'Microsoft.Insights/webtests');
        const { Locations: tested = [] } = (healthTest?.properties ?? {}) as unknown as {
          Locations?: { Id: string }[];
        };
        const locations = tested.map(({ Id: id }) => id);
        expect(new Set(locations).size).toBe(3);
        expect(locations.map((id) => id.split('-')[0]).sort()).toEqual(expected);
      },
    );

    const OWN = { SECRET_WARNING_RECIPIENTS: 'own@contoso.com' };
    const FOLLOWING = { SECRET_WARNING_RECIPIENTS: 'it@contoso.com', ALERT_RECIPIENTS: 'it@contoso.com' };
    test.each<[string, Record<string, string>, Record<string, string>, string, string | undefined]>([
      ['go to those of the alerts at first', {}, {}, 'it@contoso.com', 'it@contoso.com'],
      ['follow the alerts to another address', FOLLOWING, {}, 'new@contoso.com', 'new@contoso.com'],
      ['end with the alerts that they follow', FOLLOWING, {}, '', undefined],
      ['go where this deployment says', FOLLOWING, OWN, 'it@contoso.com', 'own@contoso.com'],
      [
        'stay where an operator has sent them',
        { ...FOLLOWING, ...OWN },
        {},
        'new@contoso.com',
        'own@contoso.com',
      ],
      ['stay where a version before has sent them', OWN, {}, 'it@contoso.com', 'own@contoso.com'],
      [
        'stay turned off by an operator',
        { ALERT_RECIPIENTS: 'it@contoso.com' },
        {},
        'it@contoso.com',
        undefined,
      ],
      [
        'follow again after an empty value',
        { ...FOLLOWING, ...OWN },
        { SECRET_WARNING_RECIPIENTS: '' },
        'new@contoso.com',
        'new@contoso.com',
      ],
    ])('warnings of expiring secrets %s', async (_rule, current, given, alerts, expected) => {
      expect((await settingsOf(current, given, alerts))?.SECRET_WARNING_RECIPIENTS).toBe(expected);
    });

    test.each<[string, string | undefined, string | undefined, readonly string[], string | undefined]>([
      ['stay where a deployment names none', 'payroll,helpdesk', undefined, [], 'payroll,helpdesk'],
      [
        'stay where a deployment names others',
        'payroll',
        undefined,
        ['helpdesk', 'payroll'],
        'payroll,helpdesk',
      ],
      ['are those of the first deployment', undefined, undefined, ['payroll'], 'payroll'],
      ['are those that the setting says, and those of the options', 'old', ' a, b', ['b', 'c'], 'a,b,c'],
      ['end with an empty value', 'payroll', '', [], undefined],
    ])('queues of callers %s', async (_rule, current, given, added, expected) => {
      const as = (value: string | undefined): Record<string, string> =>
        value === undefined ? {} : { MAIL_CALLER_QUEUES: value };
      expect((await settingsOf(as(current), as(given), '', {}, added))?.MAIL_CALLER_QUEUES).toBe(expected);
    });

    const main = (more: Readonly<Record<string, unknown>>) =>
      evaluate('main.bicep', {
        entraClientId: '22222222-2222-2222-2222-222222222222',
        defaultSender: 'noreply@contoso.com',
        ...more,
      });

    test.each(['post_office', '-mail', 'mail-'])(
      'a name that Azure would refuse later (%s) is refused',
      async (name) => {
        expect((await main({ name })).said).toContain(
          'name: expected letters, digits and, between them, dashes',
        );
      },
    );

    test.each([
      'Payroll',
      'pay--roll',
      '-payroll',
      'payroll-',
      'poison',
      'events',
      'queue',
      'x-poison',
      'pay roll',
      '2fa',
      'captured',
      'x',
    ])(
      'a caller that can have no queue (%s) is refused, in the options and in the setting',
      async (caller) => {
        expect(canHaveQueue(caller)).toBe(false);
        for (const more of [
          { options: { callerQueues: [{ caller }] } },
          { settings: { MAIL_CALLER_QUEUES: `erp-test, ${caller}` } },
        ])
          expect((await main(more)).said).toContain(`and none that ends in -poison), not '${caller}'.`);
      },
    );

    test('the senders of a caller that is named twice come together, each once', async () => {
      const id = (digit: number) => `${digit}`.repeat(8).concat('-3333-3333-3333-333333333333');
      const callerQueues = [
        { caller: 'payroll', senders: [id(1), id(2)] },
        { caller: 'payroll', senders: [id(2)] },
      ];
      const { resources, said } = await main({
        options: { callerQueues },
        settings: { MAIL_CALLER_QUEUES: 'payroll' },
      });
      expect(said).toBe('');
      const principals = resources
        .filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')
        .map(({ properties }) => properties.principalId ?? '');
      expect(principals.filter((one) => /^[12]{8}/.test(one))).toEqual([id(1), id(2)]);
    });

    test('instances that always run are not more than the maximum', async () => {
      expect((await main({ options: { alwaysReady: 3, maximumInstanceCount: 2 } })).said).toContain(
        'options.alwaysReady: expected at most options.maximumInstanceCount (2), not 3.',
      );
      expect(
        (await main({ name: 'Mail-2', options: { alwaysReady: 2, maximumInstanceCount: 2 } })).resources,
      ).not.toEqual([]);
    });
  },
);
