import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConnection } from '../../src/lib/connections/connection-definition.ts';
import { isNamedConnection } from '../../src/lib/settings/connections.ts';
import { PROXY_NAMES } from '../../src/lib/settings/proxy.ts';
import { type Setting, type SettingName, settingsTable } from '../../src/lib/settings/settings.ts';
import {
  ATTACHMENT_CONTAINER,
  CAPTURED_CONTAINER,
  callerQueueOf,
  EVENT_QUEUE,
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
  POISON_QUEUE,
  poisonQueueOf,
  VAULT_EVENT_QUEUE,
  WEBHOOK_QUEUE,
} from '../../src/lib/storage/storage-connection.ts';
import {
  appSettings,
  listVariable,
  propertiesOfType,
  readCode,
  readInfra,
  textVariable,
} from './bicep-text.ts';

const table: Readonly<Record<string, Setting<unknown>>> = settingsTable;
const fallbackOf = (name: SettingName): string | undefined => table[name]?.fallback;

/** Read by the Functions host and by its telemetry, not by the relay. */
const OF_THE_HOST = [
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];
/** Read by the relay and by the Functions host, but not as settings of the relay. */
const OF_A_PROXY = [...PROXY_NAMES, 'NO_PROXY', 'NODE_USE_ENV_PROXY'];
const setByBicep = [...appSettings('main.bicep'), ...appSettings('modules/function-app.bicep')];
const setOnRequest = propertiesOfType('modules/options.bicep', 'RelaySettings');
const secrets = propertiesOfType('modules/options.bicep', 'SecretSettings');

test('Bicep sets the settings that have no default, and no name that the relay does not know', () => {
  const needed = Object.keys(table).filter((name) => table[name]?.fallback === undefined);
  expect(setByBicep).toEqual(expect.arrayContaining(needed));
  const unknown = setByBicep.filter((name) => !(name in table) && !OF_THE_HOST.includes(name));
  expect(unknown).toEqual([]);
});

test('every other setting can be given by name, and no other name', () => {
  // The connection string is for local work: in Azure the account has no keys.
  const others = Object.keys(table).filter(
    (name) => !setByBicep.includes(name) && !name.startsWith('AzureWebJobsStorage'),
  );
  expect([...setOnRequest, ...secrets].sort()).toEqual([...others, ...OF_A_PROXY].sort());
  expect(readCode('modules/options.bicep')).toMatch(/@sealed\(\)\n[^\n]*\ntype RelaySettings/);
});

test('a setting that is a secret is in no parameter that a deployment shows afterwards', () => {
  // The address of a proxy can have a password in it, and that of a webhook a token.
  expect(secrets).toEqual([
    'ALL_PROXY',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'MAIL_WEBHOOKS',
    'SECRET_WARNING_WEBHOOK',
  ]);
  for (const name of secrets) expect(setOnRequest).not.toContain(name);
  expect(listVariable('modules/options.bicep', 'secretSettingNames')).toEqual(secrets);
  expect(readCode('modules/options.bicep')).toMatch(/@secure\(\)\n[^\n]*\ntype SecretSettings/);
  for (const parameter of ['secretSettings', 'currentSecrets'])
    expect(readCode('modules/app-settings.bicep')).toMatch(
      new RegExp(`@secure\\(\\)\nparam ${parameter} object`),
    );
  for (const output of readCode('main.bicep').matchAll(/^output .*$/gm))
    expect(output[0]).not.toMatch(/secretSettings|WEBHOOK|PROXY/);
});

test('a connection of the options has the fields that the relay reads', () => {
  const fields = propertiesOfType('modules/options.bicep', 'Connection');
  const { problems } = readConnection({ nothing: true }, '');
  const known = problems.find(({ expected }) => expected.startsWith('only the fields'))?.expected;
  expect(known).toBe(`only the fields ${fields.join(', ')}`);
});

test('a deployment keeps the settings of single connections', () => {
  const prefix = textVariable('modules/options.bicep', 'connectionSettingPrefix');
  expect(isNamedConnection(`${prefix}FABRIKAM`)).toBe(true);
  expect(readCode('modules/function-app.bicep')).toMatch(
    /startsWith\(\s*setting\.key,\s*connectionSettingPrefix\s*\)/,
  );
});

test('storage is reached by identity and by the name of the account, in a national cloud by addresses, never by a connection string', () => {
  expect(setByBicep).toEqual(
    expect.arrayContaining([
      'AzureWebJobsStorage__accountName',
      'AzureWebJobsStorage__blobServiceUri',
      'AzureWebJobsStorage__queueServiceUri',
      'AzureWebJobsStorage__tableServiceUri',
      'AzureWebJobsStorage__credential',
      'AzureWebJobsStorage__clientId',
      'AZURE_CLIENT_ID',
    ]),
  );
  const app = readCode('modules/function-app.bicep');
  expect(app).not.toMatch(/AzureWebJobsStorage:/);
});

test('no setting is there that Flex Consumption refuses', () => {
  const refused =
    /^(FUNCTIONS_EXTENSION_VERSION|FUNCTIONS_WORKER_|WEBSITE_|SCM_DO_BUILD|ENABLE_ORYX|FUNCTIONS_MAX_HTTP)/;
  expect(setByBicep.filter((name) => refused.test(name))).toEqual([]);
});

test('the client secret has one name in the vault', () => {
  expect(textVariable('main.bicep', 'clientSecretName')).toBe(fallbackOf('CLIENT_SECRET_NAME'));
  expect(setByBicep).toContain('CLIENT_SECRET_NAME');
});

test('what queues, containers and tables the code uses are made by Bicep', () => {
  expect(listVariable('modules/storage.bicep', 'queueNames')).toEqual([
    MAIL_QUEUE,
    POISON_QUEUE,
    EVENT_QUEUE,
    VAULT_EVENT_QUEUE,
    poisonQueueOf(VAULT_EVENT_QUEUE),
    WEBHOOK_QUEUE,
    poisonQueueOf(WEBHOOK_QUEUE),
  ]);
  expect(listVariable('modules/storage.bicep', 'tableNames')).toEqual([LEDGER_TABLE]);
  expect(listVariable('modules/storage.bicep', 'containerNames')).toEqual([
    textVariable('modules/storage.bicep', 'packageContainer'),
    PAYLOAD_CONTAINER,
    HELD_CONTAINER,
    CAPTURED_CONTAINER,
    ATTACHMENT_CONTAINER,
  ]);
});

test('the queues of a caller have the names that the relay reads', () => {
  const made = [...readCode('modules/storage.bicep').matchAll(/'(mail-\$\{one\.caller\}[^']*)'/g)].map(
    ([, name = '']) => name.replace(/\$\{.*\}/, 'payroll'),
  );
  expect(made).toEqual([callerQueueOf('payroll'), poisonQueueOf(callerQueueOf('payroll'))]);
});

test('a deployment keeps the settings by name that it can be given by name', () => {
  expect(listVariable('modules/options.bicep', 'relaySettingNames')).toEqual(setOnRequest);
  const app = readCode('modules/function-app.bicep');
  expect(app).toMatch(/list\('\$\{app\.id\}\/config\/appsettings', [^)]+\)\.properties/);
  expect(app).toContain('contains(relaySettingNames, toUpper(setting.key))');
  expect(app).toContain('contains(secretSettingNames, toUpper(setting.key))');
  expect(app).toContain("var furtherNames = concat(storageAddressNames, ['ALERT_RECIPIENTS'])");
  for (const name of [...setOnRequest, ...secrets]) expect(name).toBe(name.toUpperCase());
});

const DOCS = join(import.meta.dirname, '../../docs');
/** For the relay on the machine of a developer, and reasons instead of instructions. */
const NOT_OF_THE_APP = /^(local|test-environments)\.md$|^decisions/;
const SETTING = '[A-Z][A-Za-z]*_\\w+';

/** What a text tells people to set in the app: commands of az, lines of NAME=value, and rows of the variables of a proxy. */
const settingsToldIn = (text: string): readonly string[] => [
  ...[...text.matchAll(/appsettings set\b(?:[^\n`]|\\\n)*/g)].flatMap(([command]) =>
    [...command.matchAll(new RegExp(String.raw`[\s"'](${SETTING})=`, 'g'))].map(([, name = '']) => name),
  ),
  ...[...text.matchAll(new RegExp(`^(${SETTING})=(?!.* npm )`, 'gm'))].map(([, name = '']) => name),
  ...[...text.matchAll(/^\| `(\w+_PROXY)` \|/gm)].map(([, name = '']) => name),
];

test('a deployment keeps, or sets itself, every setting that the documentation tells people to set', () => {
  const told = readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !NOT_OF_THE_APP.test(name))
    .flatMap((name) => settingsToldIn(readFileSync(join(DOCS, name), 'utf8')));
  expect(told).toEqual(
    expect.arrayContaining(['HTTPS_PROXY', 'NO_PROXY', 'AzureWebJobsStorage__blobServiceUri', 'GRAPH_CLOUD']),
  );
  const kept = [
    ...setOnRequest,
    ...secrets,
    ...setByBicep,
    ...listVariable('modules/options.bicep', 'storageAddressNames'),
  ];
  const prefix = textVariable('modules/options.bicep', 'connectionSettingPrefix');
  expect([...new Set(told)].filter((name) => !kept.includes(name) && !name.startsWith(prefix))).toEqual([]);
});

test('mail is deleted from storage when the ledger forgets it, and the package never', () => {
  const rules = readCode('modules/mail-expiry.bicep').matchAll(/prefixMatch: \[([^\]]*)\]/g);
  expect([...rules].map(([, names]) => names?.match(/'[^']+'/g))).toEqual([
    [`'${PAYLOAD_CONTAINER}/'`, `'${HELD_CONTAINER}/'`],
    [`'${CAPTURED_CONTAINER}/'`],
    [`'${ATTACHMENT_CONTAINER}/'`],
  ]);
  // By the setting that the app then has, which this deployment may not have been given.
  expect(readCode('modules/app-settings.bicep')).toContain(
    `int(relaySettings.?MAIL_LEDGER_DAYS ?? '${fallbackOf('MAIL_LEDGER_DAYS')}')`,
  );
  expect(readCode('main.bicep')).toContain('days: functionApp.outputs.ledgerDays');
});

test('nothing that an alert reads is left out by sampling', () => {
  const { logging } = JSON.parse(readFileSync(join(import.meta.dirname, '../../host.json'), 'utf8')) as {
    logging: { applicationInsights: { samplingSettings: { excludedTypes: string } } };
  };
  const kept = logging.applicationInsights.samplingSettings.excludedTypes.split(';');
  const tables = [...readCode('modules/alerts.bicep').matchAll(/^ +'(\w+)'$/gm)]
    .map(([, table]) => table ?? '')
    .filter((table) => /^(traces|requests|exceptions|dependencies|customEvents|pageViews)$/.test(table));
  const types: Readonly<Record<string, string>> = {
    traces: 'Trace',
    requests: 'Request',
    exceptions: 'Exception',
  };
  expect(new Set(tables)).toEqual(new Set(['traces', 'requests']));
  for (const table of tables) expect(kept).toContain(types[table]);
  expect(readCode('modules/monitoring.bicep')).toContain('SamplingPercentage: 100');
});

test('azd finds the app, the output and the files that azure.yaml names', () => {
  const azure = readFileSync(join(import.meta.dirname, '../../azure.yaml'), 'utf8');
  const service = /^services:\n {2}(\w+):/m.exec(azure)?.[1];
  expect(readCode('modules/function-app.bicep')).toContain(`'azd-service-name': '${service}'`);
  expect(azure).toContain('project: dist/package');
  expect(azure).toContain('remoteBuild: false');
  expect(azure).toContain('--vault-id "$vaultId"');
  expect(readInfra('main.bicep')).toMatch(/^output vaultId string/m);
});
