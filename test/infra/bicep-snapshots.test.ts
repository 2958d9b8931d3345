import { describe, expect, test } from 'vitest';
import { propertiesOfType, readCode } from './bicep-text.ts';
import { defaults, everyOption, ofType, only } from './snapshots.ts';

/** Removed with the resource that they belong to; Azure gives them no tags. */
const WITHOUT_TAGS = [
  'Microsoft.Authorization/roleAssignments',
  'Microsoft.EventGrid/systemTopics/eventSubscriptions',
  'Microsoft.Insights/diagnosticSettings',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
  'Microsoft.Storage/storageAccounts/blobServices',
  'Microsoft.Storage/storageAccounts/blobServices/containers',
  'Microsoft.Storage/storageAccounts/managementPolicies',
  'Microsoft.Storage/storageAccounts/queueServices',
  'Microsoft.Storage/storageAccounts/queueServices/queues',
  'Microsoft.Storage/storageAccounts/tableServices',
  'Microsoft.Storage/storageAccounts/tableServices/tables',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies',
  'Microsoft.Web/sites/config',
  'Microsoft.Web/sites/extensions',
];

/** The app settings, beside which the sign-in of the operator page is configured. */
const settingsOf = (resources: Parameters<typeof ofType>[0]) => {
  const [settings] = ofType(resources, 'Microsoft.Web/sites/config').filter(({ id }) =>
    id.endsWith('/appsettings'),
  );
  if (settings === undefined) throw new Error('expected app settings in the snapshot');
  return settings;
};

/** Of fixed names, so relays of one resource group share them. */
const ZONE = 'Microsoft.Network/privateDnsZones';

/** That may put emails into the queue of their caller, with every option. */
const APPLICATIONS = ['33333333-3333-3333-3333-333333333333', '44444444-4444-4444-4444-444444444444'];

/** The identity of the system topic, by which the vault reports. */
const TOPIC = /^\[reference\('\S+\/systemTopics\/\S+', '\S+', 'full'\)\.identity\.principalId\]$/;

const QUEUE = 'Microsoft.Storage/storageAccounts/queueServices/queues';
const ACCOUNT = 'Microsoft.Storage/storageAccounts';
const VAULT = 'Microsoft.KeyVault/vaults';
const APP = 'Microsoft.Web/sites';

test('the parameters of the second snapshot turn every option on', () => {
  const file = readCode('../test/infra/snapshots/every-option.bicepparam');
  for (const option of propertiesOfType('modules/options.bicep', 'Options'))
    expect(file, option).toMatch(new RegExp(`^ {2}${option}: `, 'm'));
});

describe.each([
  ['defaults', defaults, 'mail-relay'],
  ['every option', everyOption, 'relay-two'],
])('with %s', (_, resources, name) => {
  test('every resource says to which relay it belongs, whatever tags are given', () => {
    const tagged = resources.filter(({ type }) => ![...WITHOUT_TAGS, ZONE].includes(type));
    expect(tagged.length).toBeGreaterThan(15);
    for (const { id, tags } of tagged) expect(tags?.['graph-mail-relay'], id).toBe(name);
  });

  test('a private DNS zone, which relays share, does not, and its link to the network does', () => {
    for (const { tags } of ofType(resources, ZONE)) expect(tags).not.toHaveProperty('graph-mail-relay');
    const links = ofType(resources, `${ZONE}/virtualNetworkLinks`);
    expect(links).toHaveLength(ofType(resources, ZONE).length);
    for (const { tags } of links) expect(tags?.['graph-mail-relay']).toBe(name);
  });

  test('a resource without a tag belongs to one that has it', () => {
    const tagged = resources.filter(({ tags }) => tags !== undefined).map(({ id }) => id);
    for (const { id, type } of resources.filter((resource) => resource.tags === undefined)) {
      expect(WITHOUT_TAGS).toContain(type);
      // The id of a role assignment is an expression that begins with its scope.
      const owner = id.replace(/^\[extensionResourceId\('/, '');
      expect(
        tagged.some((parent) => owner.startsWith(parent)),
        id,
      ).toBe(true);
    }
  });

  test('only the identity of the app has roles, and none on more than its resources', () => {
    const assignments = ofType(resources, 'Microsoft.Authorization/roleAssignments').filter(
      ({ properties }) =>
        !APPLICATIONS.includes(properties.principalId) && !TOPIC.test(properties.principalId),
    );
    // One for each queue, and four beside them.
    expect(assignments).toHaveLength(4 + ofType(resources, QUEUE).length);
    for (const { id, properties } of assignments) {
      expect(properties.principalId).toMatch(
        /^\[reference\('\S+\/userAssignedIdentities\/\S+', '\S+'\)\.principalId\]$/,
      );
      expect(id).toMatch(
        /^\[extensionResourceId\('\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.\w+\/\w+\/[^']+'/,
      );
    }
  });

  test('whoever writes to storage or deletes from it is logged, and whoever reads a blob, but not who reads a queue or a table', () => {
    const logs = Object.fromEntries(
      ofType(resources, 'Microsoft.Insights/diagnosticSettings').map(({ id, properties }) => [
        /(\w+)(?:\/default|\/[\w-]+)\/providers\/Microsoft\.Insights/.exec(id)?.[1],
        properties.logs
          .map(({ category, categoryGroup }: Record<string, string>) => category ?? categoryGroup)
          .sort(),
      ]),
    );
    expect(logs).toEqual({
      blobServices: ['StorageDelete', 'StorageRead', 'StorageWrite'],
      queueServices: ['StorageDelete', 'StorageWrite'],
      tableServices: ['StorageDelete', 'StorageWrite'],
      vaults: ['audit'],
    });
  });

  test('lifecycle rules pass the firewall of the storage account, and nothing passes that of the vault', () => {
    expect(only(resources, ACCOUNT).properties.networkAcls.bypass).toBe('AzureServices');
    expect(only(resources, VAULT).properties.networkAcls.bypass).toBe('None');
  });

  test('the vault is deployed by a version that does not retire in February 2027, and access is by roles', () => {
    const vault = only(resources, VAULT);
    expect(vault.apiVersion >= '2026-02-01').toBe(true);
    expect(vault.properties.enableRbacAuthorization).toBe(true);
  });

  test('no password deploys code', () => {
    const policies = ofType(resources, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
    expect(policies.map((policy) => [policy.name.split('/')[1], policy.properties.allow])).toEqual([
      ['ftp', false],
      ['scm', false],
    ]);
  });

  test('the health of the app is tested from outside, and two regions that fail raise an alert', () => {
    const healthTest = only(resources, 'Microsoft.Insights/webtests');
    const { Request: request, ValidationRules: rules, Timeout: timeout } = healthTest.properties;
    expect(request.RequestUrl).toMatch(/^\[format\('\{0\}\/api\/health', .*defaultHostName\)\)\]$/);
    expect(rules).toMatchObject({
      ExpectedHttpStatusCode: 200,
      ContentValidation: { ContentMatch: '"status":"up"' },
    });
    // A cold start is not a failure.
    expect(timeout).toBeGreaterThanOrEqual(60);
    const alert = only(resources, 'Microsoft.Insights/metricAlerts');
    expect(alert.properties.criteria).toMatchObject({ webTestId: healthTest.id, failedLocationCount: 2 });
    expect(alert.properties.scopes).toContain(healthTest.id);
  });
});

const queueNames = (resources: typeof defaults) =>
  ofType(resources, QUEUE)
    .map(({ name }) => name.split('/')[2])
    .sort();

describe('by default', () => {
  test('no caller has a queue of its own', () => {
    expect(queueNames(defaults)).toEqual([
      'mail',
      'mail-events',
      'mail-poison',
      'vault-events',
      'vault-events-poison',
      'webhook-events',
      'webhook-events-poison',
    ]);
  });

  test('there is no network, no code, no recipient, and nothing runs while idle', () => {
    for (const type of [
      'Microsoft.Network/virtualNetworks',
      'Microsoft.Web/sites/extensions',
      'Microsoft.Insights/actionGroups',
      'Microsoft.EventGrid/systemTopics',
    ])
      expect(ofType(defaults, type)).toEqual([]);
    expect(only(defaults, APP).properties.functionAppConfig.scaleAndConcurrency).toEqual({
      instanceMemoryMB: 2048,
      maximumInstanceCount: 40,
      alwaysReady: [],
    });
  });
});

describe('with every option', () => {
  test('each caller of the options and of the setting has its queue, once', () => {
    const callers = ['erp-test', 'helpdesk', 'payroll'].flatMap((name) => [
      `mail-${name}`,
      `mail-${name}-poison`,
    ]);
    expect(queueNames(everyOption)).toEqual(
      [
        ...['mail', 'mail-events', 'mail-poison', 'vault-events', 'vault-events-poison'],
        ...['webhook-events', 'webhook-events-poison', ...callers],
      ].sort(),
    );
    expect(settingsOf(everyOption).properties).toContain("'MAIL_CALLER_QUEUES', 'helpdesk,payroll,erp-test'");
  });

  test('an application may put messages into the queue of its caller, and do nothing else anywhere', () => {
    const given = ofType(everyOption, 'Microsoft.Authorization/roleAssignments').filter(({ properties }) =>
      APPLICATIONS.includes(properties.principalId),
    );
    expect(given.map(({ properties }) => properties.principalId).sort()).toEqual(APPLICATIONS);
    for (const { id, properties } of given) {
      expect(id).toMatch(
        /^\[?(extensionResourceId\(')?\S+\/queueServices\/default\/queues\/mail-payroll['/]/,
      );
      expect(properties.roleDefinitionId).toContain('c6a89b2d-59bc-44d0-9896-0f6e12d7b80a');
    }
  });

  test('the vault reports to one queue what expires, by an identity that can put messages into it and nothing else', () => {
    const topic = only(everyOption, 'Microsoft.EventGrid/systemTopics');
    expect(topic.properties).toMatchObject({
      source: only(everyOption, VAULT).id,
      topicType: 'Microsoft.KeyVault.vaults',
    });
    const given = ofType(everyOption, 'Microsoft.Authorization/roleAssignments').filter(({ properties }) =>
      TOPIC.test(properties.principalId),
    );
    expect(given).toHaveLength(1);
    expect(given[0]?.id).toMatch(/\/queueServices\/default\/queues\/vault-events['/]/);
    expect(given[0]?.properties.roleDefinitionId).toContain('c6a89b2d-59bc-44d0-9896-0f6e12d7b80a');
    const { filter, deliveryWithResourceIdentity } = only(
      everyOption,
      'Microsoft.EventGrid/systemTopics/eventSubscriptions',
    ).properties;
    // https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
    expect(filter.includedEventTypes).toEqual([
      'Microsoft.KeyVault.SecretNearExpiry',
      'Microsoft.KeyVault.SecretExpired',
      'Microsoft.KeyVault.CertificateNearExpiry',
      'Microsoft.KeyVault.CertificateExpired',
    ]);
    expect(deliveryWithResourceIdentity).toMatchObject({
      identity: { type: 'SystemAssigned' },
      destination: { endpointType: 'StorageQueue', properties: { queueName: 'vault-events' } },
    });
  });

  test('connections are the JSON that the relay reads', () => {
    const { properties } = settingsOf(everyOption);
    expect(properties).toContain('\'GRAPH_CONNECTIONS\', \'[{"name":"fabrikam"');
  });

  test('the address of the webhook is nowhere in what is predicted', () => {
    expect(JSON.stringify(everyOption)).not.toContain('hooks.example');
  });

  test('memory, instances and Node.js are what the options say, and deliverMail is always ready', () => {
    const { scaleAndConcurrency, runtime } = only(everyOption, APP).properties.functionAppConfig;
    expect(runtime).toEqual({ name: 'node', version: '22' });
    expect(scaleAndConcurrency).toEqual({
      instanceMemoryMB: 512,
      maximumInstanceCount: 100,
      alwaysReady: [{ name: 'function:deliverMail', instanceCount: 2 }],
    });
  });

  test('the addresses of administrators lose their blanks, and small ranges become addresses', () => {
    const expected = ['203.0.113.7', '198.51.100.0/24', '192.0.2.9', '192.0.2.16', '192.0.2.17'];
    for (const type of [ACCOUNT, VAULT]) {
      const { networkAcls, publicNetworkAccess } = only(everyOption, type).properties;
      expect(networkAcls.ipRules.map(({ value }: { value: string }) => value)).toEqual(expected);
      expect(networkAcls.defaultAction).toBe('Deny');
      expect(publicNetworkAccess).toBe('Enabled');
    }
  });

  test('recipients of alerts lose their blanks', () => {
    const recipients = ['it@contoso.com', 'on-call@contoso.com'];
    expect(
      only(everyOption, 'Microsoft.Insights/actionGroups').properties.emailReceivers.map(
        ({ emailAddress }: { emailAddress: string }) => emailAddress,
      ),
    ).toEqual(recipients);
    expect(settingsOf(everyOption).properties).toContain(`'${recipients.join()}'`);
  });

  test('the package is downloaded from its address and not built again', () => {
    expect(only(everyOption, 'Microsoft.Web/sites/extensions')).toMatchObject({
      name: expect.stringMatching(/\/onedeploy$/),
      properties: { packageUri: 'https://packages.contoso.com/graph-mail-relay.zip', remoteBuild: false },
    });
  });

  test('every resource carries the tags that were given', () => {
    for (const { tags } of everyOption.filter((resource) => resource.tags !== undefined))
      expect(tags?.owner).toBe('it');
  });
});
