import { type Declaration, readCallers } from '../callers/caller-definition.ts';
import { EXPECTED_CALLER_QUEUES, readCallerQueues } from '../callers/caller-queues.ts';
import { CLOUD_NAMES } from '../connections/cloud.ts';
import { CREDENTIAL_KINDS } from '../connections/connection.ts';
import { type DeclaredConnection, isUsable, readConnections } from '../connections/connection-definition.ts';
import { describe } from '../describe.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import { readReceivers, type WebhookReceiver } from '../events/webhook-receiver.ts';
import { FACADES, type FacadeName, readFacades } from '../facades/facade.ts';
import { type Address, isAddress } from '../mail/address.ts';
import { parseAddresses } from '../mail/address-list.ts';
import { isAddressPattern } from '../mail/address-pattern.ts';
import { LANGUAGES } from '../mail/language.ts';
import { entraAddress, graphAddress, storageAddress, vaultAddress, webhookAddress } from './addresses.ts';
import { readNamedConnections } from './connections.ts';
import { readJsonSetting } from './json-setting.ts';
import { proxyProblems } from './proxy.ts';
import { checkTogether } from './settings-together.ts';
import { findUnknown } from './unknown-names.ts';

/**
 * One setting: its documentation and its parser. `docs/settings.md` and `local.settings.example.json` are
 * written from this table. A parser throws a sentence that begins with what it expects, or an AppError with problems of which
 * each says where in the value it is.
 */
export type Setting<Value> = {
  readonly what: string;
  /** The value as text when nothing is set; without it the setting is required. */
  readonly fallback?: string;
  /** A value where the one by default shows nothing, or there is none. */
  readonly example?: string;
  readonly parse: (text: string) => Value;
};

const setting = <Value>(definition: Setting<Value>): Setting<Value> => definition;

/** A value that the parser takes, for people who look for the form. */
export const exampleOf = ({ example, fallback = '' }: Setting<unknown>): string => example ?? fallback;

const expects = (expected: string): never => {
  throw new Error(expected);
};

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const guid = (text: string): string => (GUID.test(text) ? text.toLowerCase() : expects('a GUID'));

const tenant = (text: string): string =>
  GUID.test(text) || /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(text)
    ? text
    : expects('the Directory (tenant) ID, a GUID, or a domain of the tenant');

const wholeNumber =
  (min: number, max: number) =>
  (text: string): number =>
    /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max
      ? Number(text)
      : expects(`a whole number from ${min} to ${max}`);

const onOff = (text: string): boolean =>
  text === 'true' || text === 'false' ? text === 'true' : expects('true or false');

const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const oneAddress = (text: string): Address => {
  const [address, ...more] = parseAddresses(text) ?? [];
  return address !== undefined && more.length === 0
    ? address
    : expects('one address, with or without a name');
};

const addresses = (text: string): readonly string[] => {
  const parts = list(text);
  return parts.every(isAddress) ? parts : expects('addresses separated by commas');
};

/** A domain stands for each of its addresses, and not for its subdomains. */
const recipientPatterns = (text: string): readonly string[] => {
  const parts = list(text);
  const patterns = parts.map((part) => (part.includes('@') ? part : `*@${part}`));
  return parts.length > 0 && parts.every((part) => !part.startsWith('*')) && patterns.every(isAddressPattern)
    ? patterns
    : expects('domains or addresses, separated by commas');
};

const domains = (text: string): readonly string[] => {
  const parts = list(text);
  return parts.every((part) => isAddress(`any@${part}`)) ? parts : expects('domains separated by commas');
};

const senderPatterns = (text: string): readonly string[] => {
  const parts = list(text);
  return parts.every((part) => isAddress(part) || isAddress(part.replace(/^\*@/, 'any@')))
    ? parts
    : expects('addresses or *@domain, separated by commas');
};

const days = (text: string): readonly number[] => {
  const parts = list(text);
  return parts.length > 0 && parts.every((part) => /^[1-9]\d{0,3}$/.test(part))
    ? parts.map(Number)
    : expects('whole numbers of days separated by commas');
};

const callerQueues = (text: string): readonly string[] => {
  const { names, isValid } = readCallerQueues(text);
  return isValid ? names : expects(EXPECTED_CALLER_QUEUES);
};

const facades = (text: string): readonly FacadeName[] => {
  const { names, isValid } = readFacades(text);
  return isValid ? names : expects(`a list of ${FACADES.join(', ')}, separated by commas`);
};

const optional =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value | undefined =>
    text === '' ? undefined : parse(text);

const asIs = (text: string): string => text;

const oneOf =
  <const Word extends string>(words: readonly Word[]) =>
  (text: string): Word =>
    words.find((word) => word === text) ?? expects(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);

const vaultObject = (text: string): string =>
  /^[0-9a-z-]{1,127}$/i.test(text) ? text : expects('1 to 127 letters, digits and dashes');

const callers = (text: string): readonly Declaration[] => {
  if (text === '') return [];
  const { declarations, problems } = readCallers(parseJson(text, 'callers'));
  if (problems.length > 0) throw problemsError(problems);
  return declarations;
};

const connections = (text: string): readonly DeclaredConnection[] => {
  if (text === '') return [];
  const { value, received } = readJsonSetting(text);
  const { connections, problems } = readConnections(value, 'GRAPH_CONNECTIONS');
  if (problems.length === 0) return connections;
  // Where the whole is wrong, `received` says what is the matter with the JSON. The name of the setting is put before each.
  throw problemsError(
    problems.map((one) => ({
      ...one,
      pointer: one.pointer.replace(/^GRAPH_CONNECTIONS/, ''),
      ...(value === undefined ? { expected: 'a JSON list of connections', received } : {}),
    })),
  );
};

const webhooks = (text: string): readonly WebhookReceiver[] => {
  if (text === '') return [];
  const { value, received } = readJsonSetting(text);
  const { receivers, problems } = readReceivers(value);
  if (problems.length === 0) return receivers;
  throw problemsError(
    problems.map((one) =>
      value === undefined ? { ...one, expected: 'a JSON list of webhooks', received } : one,
    ),
  );
};

const parseJson = (text: string, of: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return expects(`a JSON list of ${of}`);
  }
};

export const settingsTable = {
  ENTRA_TENANT_ID: setting({
    what: 'Directory (tenant) ID of the tenant that has the app registration.',
    example: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
    parse: tenant,
  }),
  ENTRA_CLIENT_ID: setting({
    what: 'Application (client) ID of the app registration that sends.',
    example: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
    parse: guid,
  }),
  GRAPH_CLOUD: setting({
    what: 'Cloud of the tenant: `global` (also GCC), `usgov` (GCC High), `dod` or `china`. It gives the addresses of Entra, Graph and storage. If empty, the cloud of ENTRA_AUTHORITY and GRAPH_ENDPOINT, or `global`.',
    example: 'usgov',
    fallback: '',
    parse: optional(oneOf(CLOUD_NAMES)),
  }),
  ENTRA_AUTHORITY: setting({
    what: 'Address of Microsoft Entra ID, which issues the tokens. If empty, that of GRAPH_CLOUD. US Government: https://login.microsoftonline.us. China: https://login.chinacloudapi.cn or https://login.partner.microsoftonline.cn. It receives the client secret, so no other address is accepted.',
    example: 'https://login.microsoftonline.com',
    fallback: '',
    parse: optional(entraAddress),
  }),
  GRAPH_ENDPOINT: setting({
    what: 'Address of Microsoft Graph. If empty, that of GRAPH_CLOUD. US Government: https://graph.microsoft.us (DoD: https://dod-graph.microsoft.us). China: https://microsoftgraph.chinacloudapi.cn. It receives the token and the emails, so no other address is accepted.',
    example: 'https://graph.microsoft.com',
    fallback: '',
    parse: optional(graphAddress),
  }),
  GRAPH_CREDENTIAL: setting({
    what: 'How the relay proves to Entra which application it is ([credentials.md](credentials.md)). `client-secret`: the secret CLIENT_SECRET_NAME in the vault. `certificate`: the certificate CLIENT_CERTIFICATE_NAME in the vault. `federated`: the managed identity of the app, as a federated credential of the registration. `managed-identity`: the managed identity itself sends, without a registration.',
    fallback: 'client-secret',
    parse: oneOf(CREDENTIAL_KINDS),
  }),
  GRAPH_CONNECTIONS: setting({
    what: 'Further registrations or tenants that send for some senders, as a JSON list ([connections.md](connections.md)). A connection can also have a setting of its own: GRAPH_CONNECTION_FABRIKAM is the connection `fabrikam`, as a JSON object without `name`. The connection of the settings above, `main`, sends for all other senders.',
    example:
      '[{"name":"fabrikam","senders":["*@fabrikam.com"],"tenantId":"fabrikam.com","clientId":"5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871"}]',
    fallback: '',
    parse: connections,
  }),
  GRAPH_TIMEOUT_SECONDS: setting({
    what: 'How long the relay waits for the response to one request to Graph. If there is none by then, the outcome is unknown. Two requests and their tokens must fit into functionTimeout of host.json and into the 230 s of an HTTP request, so the maximum is 99.',
    fallback: '60',
    parse: wholeNumber(1, 200),
  }),
  KEY_VAULT_URL: setting({
    what: 'Address of the vault that holds the client secret or the certificate. The relay checks all secrets and certificates in this vault for expiry. It ends in vault.azure.net, vault.usgovcloudapi.net or vault.azure.cn. Required unless GRAPH_CREDENTIAL and all connections need no secret.',
    example: 'https://kv-mail-relay.vault.azure.net',
    fallback: '',
    parse: optional(vaultAddress),
  }),
  CLIENT_SECRET_NAME: setting({
    what: 'Name of the client secret in the vault.',
    fallback: 'graph-client-secret',
    parse: vaultObject,
  }),
  CLIENT_CERTIFICATE_NAME: setting({
    what: 'Name of the certificate in the vault, with its private key as PEM or PFX.',
    fallback: 'graph-client-certificate',
    parse: vaultObject,
  }),
  AZURE_CLIENT_ID: setting({
    what: 'Client ID of the user-assigned managed identity that the app uses for vault and storage, and to send where GRAPH_CREDENTIAL is `federated` or `managed-identity`. If empty, the app uses the system-assigned identity.',
    example: '0f8e7d6c-1b2a-4c3d-9e8f-a7b6c5d4e3f2',
    fallback: '',
    parse: optional(guid),
  }),
  MAIL_DEFAULT_SENDER: setting({
    what: 'Sender of emails without `from`: a shared or licensed mailbox of the tenant.',
    example: 'Contoso <noreply@contoso.com>',
    parse: oneAddress,
  }),
  MAIL_ALLOWED_SENDERS: setting({
    what: 'Other addresses that callers are allowed to give as `from`. `*@contoso.com` allows a whole domain.',
    example: 'payroll@contoso.com, *@service.contoso.com',
    fallback: '',
    parse: senderPatterns,
  }),
  MAIL_CALLERS: setting({
    what: 'Callers that are declared in the settings, as a JSON list, for organizations that keep them in source control (the parameter `options.callers` of the deployment). The fields are those of `npm run callers` ([manage-callers.md](manage-callers.md)). It holds no keys. For all other callers, use the command.',
    example: '[{"name":"payroll","senders":["payroll@contoso.com"]}]',
    fallback: '',
    parse: callers,
  }),
  MAIL_ENABLED: setting({
    what: '`false` stops sending: HTTP returns 503 and queued emails wait.',
    fallback: 'true',
    parse: onOff,
  }),
  MAIL_REDIRECT_TO: setting({
    what: 'For test environments: every email goes to this address instead of its recipients, and says whom it was for.',
    example: 'test-inbox@contoso.com',
    fallback: '',
    parse: optional(oneAddress),
  }),
  MAIL_RECIPIENT_DOMAINS: setting({
    what: 'For test environments: the domains and addresses that emails can go to. `contoso.com` does not include its subdomains. If empty, emails can go to everyone.',
    example: 'contoso.com, tester@fabrikam.com',
    fallback: '',
    parse: optional(recipientPatterns),
  }),
  MAIL_OTHER_RECIPIENTS: setting({
    what: 'What the relay does with an email that has a recipient outside MAIL_RECIPIENT_DOMAINS: `refuse` rejects the whole email, `capture` keeps it for the inbox page and sends it to nobody.',
    fallback: 'refuse',
    parse: (text) => (text === 'refuse' || text === 'capture' ? text : expects('refuse or capture')),
  }),
  MAIL_CAPTURE: setting({
    what: 'For test environments: `true` sends nothing and keeps every email for the inbox page.',
    fallback: 'false',
    parse: onOff,
  }),
  MAIL_MAX_REQUEST_MB: setting({
    what: 'The largest HTTP request with emails that the relay accepts, in megabytes (1,000,000 bytes). The maximum is 100, because the functions host closes the connection above 104,857,600 bytes. A large file costs less as a blob that the email names.',
    fallback: '8',
    parse: wholeNumber(1, 100),
  }),
  MAIL_LARGE_ATTACHMENTS: setting({
    what: '`true` sends emails that are too large for one request to Graph as drafts, with files of up to 150 MB. This needs Mail.ReadWrite on the sender mailboxes: the relay could then read, change and delete every email in them. The mailbox must allow messages of this size; the default of Exchange is 35 MB.',
    fallback: 'false',
    parse: onOff,
  }),
  MAIL_DELIVERY: setting({
    what: '`standard` sends an email in one request where possible. `exact` sends every email as a draft, which has an id by which the relay can find out whether it was sent. This needs Mail.ReadWrite on the sender mailboxes, and one more request to Graph for each email.',
    fallback: 'standard',
    parse: (text) => (text === 'standard' || text === 'exact' ? text : expects('standard or exact')),
  }),
  MAIL_GIVE_UP_HOURS: setting({
    what: 'How long the relay tries to send an email before it holds it. For an email with `sendAt`, the time counts from then.',
    fallback: '24',
    parse: wholeNumber(1, 168),
  }),
  MAIL_ON_UNKNOWN: setting({
    what: 'What the relay does if it is unknown whether Graph sent an email. `verify`: look in Sent Items, which needs Mail.Read on the sender mailboxes, send again only if the email is not there, and hold it if the relay has no permission to look. `hold`: hold it. `resend`: send it once more, at the risk of a duplicate.',
    fallback: 'verify',
    parse: (text) =>
      text === 'verify' || text === 'hold' || text === 'resend' ? text : expects('verify, hold or resend'),
  }),
  MAIL_VERIFY_SECONDS: setting({
    what: 'How long the relay checks Sent Items for an email before the email counts as not sent. At least 60.',
    fallback: '900',
    parse: wholeNumber(1, 86_400),
  }),
  MAIL_SENDING_LIMIT_SECONDS: setting({
    what: 'If no result of an attempt is recorded after this time, its outcome is unknown. Must be more than functionTimeout of host.json, which is 300.',
    fallback: '360',
    parse: wholeNumber(1, 86_400),
  }),
  MAIL_CONCURRENT_PER_MAILBOX: setting({
    what: 'Simultaneous requests to Graph for one mailbox. Exchange allows 4.',
    fallback: '4',
    parse: wholeNumber(1, 100),
  }),
  MAIL_PER_MINUTE_PER_MAILBOX: setting({
    what: 'Emails per minute from one mailbox, from all instances together. Exchange allows 30.',
    fallback: '30',
    parse: wholeNumber(1, 10_000),
  }),
  MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX: setting({
    what: 'Recipients of one mailbox in 24 hours. Exchange allows 10,000 and returns what is above that as undeliverable, so the relay lets it wait.',
    fallback: '10000',
    parse: wholeNumber(1, 1_000_000),
  }),
  MAIL_EXTERNAL_RECIPIENTS_PER_DAY: setting({
    what: 'Recipients outside the tenant in 24 hours, of all senders of the main connection together ([limits.md](limits.md#recipients-outside-the-tenant)). The limit of Exchange is 500 x (licenses ^ 0.7) + 9,500, and 5,000 in a trial tenant; the Exchange admin center shows it. Exchange returns what is above it as undeliverable, so the relay lets it wait. Leave room for what people send. If empty, the relay does not count.',
    example: '60000',
    fallback: '',
    parse: optional(wholeNumber(1, 100_000_000)),
  }),
  MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY: setting({
    what: 'Recipients outside the tenant in 24 hours, of all senders in an `onmicrosoft.com` domain of the tenant together. Exchange allows 100 and returns what is above that as undeliverable.',
    fallback: '100',
    parse: wholeNumber(1, 100_000_000),
  }),
  MAIL_INTERNAL_DOMAINS: setting({
    what: 'Accepted domains of the tenant: recipients in them are not external. The domains of the senders in MAIL_DEFAULT_SENDER, MAIL_ALLOWED_SENDERS and GRAPH_CONNECTIONS are known without it. `contoso.com` does not include its subdomains.',
    example: 'contoso.com, contoso.onmicrosoft.com',
    fallback: '',
    parse: domains,
  }),
  MAIL_LEDGER_DAYS: setting({
    what: 'How long the ledger keeps the status of an email and its idempotency key, in days after the email reached a final state. A held email is deleted then, too. Must be at least a day more than MAIL_GIVE_UP_HOURS.',
    fallback: '90',
    parse: wholeNumber(2, 3650),
  }),
  MAIL_LEDGER_RECIPIENTS: setting({
    what: '`true` also keeps the addresses of the recipients in the ledger.',
    fallback: 'false',
    parse: onOff,
  }),
  MAIL_CALLER_QUEUES: setting({
    what: 'Callers that have a queue of their own, `mail-<caller>`: what arrives there is an email of this caller. The queue and its poison queue must exist; Bicep creates them (`callerQueues`).',
    example: 'payroll, helpdesk',
    fallback: '',
    parse: callerQueues,
  }),
  MAIL_FACADES: setting({
    what: 'Providers whose API the relay also answers, for applications that were written for them: `sendgrid`, `resend`, `postmark` ([facades.md](facades.md)).',
    example: 'sendgrid, resend',
    fallback: '',
    parse: facades,
  }),
  MAIL_TRACE: setting({
    what: '`true` lets the relay ask the message trace of Exchange for the delivery status of an email, when someone asks with `?delivery=true`. Needs ExchangeMessageTrace.Read.All, and is for the global cloud only (docs/delivery.md).',
    fallback: 'false',
    parse: onOff,
  }),
  MAIL_EVENTS: setting({
    what: 'Puts events on the queue mail-events, for Event Grid or your own reader ([events.md](events.md)): `queue` in the schema of Event Grid, `cloudevents` in CloudEvents 1.0.',
    fallback: 'off',
    parse: oneOf(['off', 'queue', 'cloudevents']),
  }),
  MAIL_WEBHOOKS: setting({
    what: 'Systems that receive events by HTTP, signed, as a JSON list ([events.md](events.md#webhooks)). It holds no secret: `secretName` is the name of a secret in the vault. A URL can have a token in it; keep it out of source control then.',
    example:
      '[{"name":"crm","url":"https://crm.contoso.com/hooks/mail","events":["GraphMailRelay.Mail.Bounced"]}]',
    fallback: '',
    parse: webhooks,
  }),
  MAIL_BOUNCES: setting({
    what: '`true` reads the non-delivery reports in the mailboxes of the senders every five minutes, and says which emails bounced. Needs Mail.Read.',
    fallback: 'false',
    parse: onOff,
  }),
  MAIL_BOUNCES_TO_OWNER: setting({
    what: '`true` also sends the owner of the caller an email when one of its emails bounced, with the recipient, the cause and what to do. Only with MAIL_BOUNCES.',
    fallback: 'false',
    parse: onOff,
  }),
  SECRET_WARNING_DAYS: setting({
    what: 'Days before the expiry of a secret or certificate. The relay warns once each time that fewer days are left than one of these numbers, and every day after the expiry (after seven days weekly, if no connection uses it).',
    fallback: '60,30,14,7,3,1',
    parse: days,
  }),
  SECRET_WARNING_RECIPIENTS: setting({
    what: 'Recipients of the warnings by email. If this and SECRET_WARNING_WEBHOOK are empty, the log event `SecretExpiring` is the only warning.',
    example: 'it-operations@contoso.com',
    fallback: '',
    parse: addresses,
  }),
  SECRET_WARNING_WEBHOOK: setting({
    what: 'Address that also receives the warnings, by HTTP POST: a webhook of a Teams workflow or of Slack, or any service that accepts JSON. The address is a secret; keep it out of source control.',
    example: 'https://example.webhook.office.com/workflows/1a2b3c',
    fallback: '',
    parse: optional(webhookAddress),
  }),
  SECRET_ROTATION_DAYS: setting({
    what: 'The relay renews its client secrets itself when they have been in use for this many days ([credential-rotation.md](credential-rotation.md)). Each new secret is valid for twice that time. If empty, the relay renews nothing. It needs Application.ReadWrite.OwnedBy and permission to write this secret in the vault.',
    example: '90',
    fallback: '',
    parse: optional(wholeNumber(14, 365)),
  }),
  MAIL_LANGUAGE: setting({
    what: 'Language of the emails and webhook messages that the relay itself writes, such as warnings: `en` (English) or `zh-Hant` (Traditional Chinese).',
    fallback: 'en',
    parse: oneOf(LANGUAGES),
  }),
  OPS_SIGN_IN: setting({
    what: 'How people sign in to the [operator page](operator-page.md). `key`: with the master key. `entra`: with their account, by the authentication of App Service. `off`: there is no operator page.',
    fallback: 'key',
    parse: oneOf(['key', 'entra', 'off']),
  }),
  AzureWebJobsStorage: setting({
    what: 'Connection string of the storage account, for local work only. In Azure, omit it and set AzureWebJobsStorage__accountName.',
    fallback: '',
    parse: asIs,
  }),
  AzureWebJobsStorage__accountName: setting({
    what: 'Name of the storage account, which the app opens with its managed identity.',
    example: 'stmailrelay',
    fallback: '',
    parse: (text) =>
      /^([0-9a-z]{3,24})?$/.test(text) ? text : expects('3 to 24 lower-case letters and digits'),
  }),
  AzureWebJobsStorage__blobServiceUri: setting({
    what: 'Address of the blobs of the storage account, if it is not the usual one of AzureWebJobsStorage__accountName and GRAPH_CLOUD.',
    example: 'https://stmailrelay.blob.core.windows.net',
    fallback: '',
    parse: optional(storageAddress('blob')),
  }),
  AzureWebJobsStorage__queueServiceUri: setting({
    what: 'Address of the queues of the storage account, in the same way.',
    example: 'https://stmailrelay.queue.core.windows.net',
    fallback: '',
    parse: optional(storageAddress('queue')),
  }),
  AzureWebJobsStorage__tableServiceUri: setting({
    what: 'Address of the tables of the storage account, in the same way.',
    example: 'https://stmailrelay.table.core.windows.net',
    fallback: '',
    parse: optional(storageAddress('table')),
  }),
} as const;

type Table = typeof settingsTable;
export type SettingName = keyof Table;
export type Settings = { readonly [Name in SettingName]: ReturnType<Table[Name]['parse']> };

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the functions that only move messages need: the host could not have called them without it. */
export const STORAGE_SETTINGS = [
  'AzureWebJobsStorage',
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'AZURE_CLIENT_ID',
] as const satisfies readonly SettingName[];

const ALL = Object.keys(settingsTable) as readonly SettingName[];

/** `functionTimeout` of host.json, for code that reads settings outside the app. */
export const FUNCTION_TIMEOUT_SECONDS = 300;

/** Names that begin as a setting does and are none, and are too far from any to be a slip: worth a line in the log. */
export const strayNames = (environment: Environment): readonly string[] =>
  findUnknown(environment, ALL)
    .filter(({ isSlip }) => !isSlip)
    .map(({ name }) => name);

/**
 * A name with a slip in it is refused as a wrong value is: the limit that somebody meant to set would not hold.
 * Other names may belong to something else in the app's environment.
 */
const slips = (environment: Environment): readonly Problem[] =>
  findUnknown(environment, ALL)
    .filter(({ isSlip }) => isSlip)
    .map(({ name, nearest }) => ({
      code: 'SETTINGS_INVALID',
      pointer: name,
      expected: `the name of a setting, such as ${nearest}`,
      received: 'an unknown name',
    }));

/** The value of one setting; undefined where it is invalid, which `readSettings` says with the others. */
export const readSetting = <Name extends SettingName>(
  environment: Environment,
  name: Name,
): Settings[Name] | undefined => {
  const { parse, fallback = '' }: Setting<unknown> = settingsTable[name];
  try {
    return parse(environment[name]?.trim() || fallback) as Settings[Name];
  } catch {
    return undefined;
  }
};

/** The storage account without its name: the three addresses of what the relay uses. */
const hasServiceAddresses = (environment: Environment): boolean =>
  (['blob', 'queue', 'table'] as const).every((service) =>
    environment[`AzureWebJobsStorage__${service}ServiceUri`]?.trim(),
  );

/** Also while other settings are wrong: whoever reads the problems sees this one with them. */
const hasVaultWhereNeeded = ({
  KEY_VAULT_URL,
  GRAPH_CREDENTIAL,
  GRAPH_CONNECTIONS,
  MAIL_WEBHOOKS,
}: Settings): boolean =>
  KEY_VAULT_URL !== undefined ||
  (!MAIL_WEBHOOKS?.length &&
    [GRAPH_CREDENTIAL, ...GRAPH_CONNECTIONS.filter(isUsable).map(({ credential }) => credential)].every(
      (kind) => kind === 'managed-identity' || kind === 'federated',
    ));

/**
 * Reads settings, all by default; all of them are also checked against each other. Throws one SETTINGS_INVALID that
 * lists every problem; values are never shown.
 */
export const readSettings = <Name extends SettingName = SettingName>(
  environment: Environment,
  names: readonly Name[] = ALL as readonly Name[],
  functionTimeoutSeconds = FUNCTION_TIMEOUT_SECONDS,
): Pick<Settings, Name> => {
  const problems: Problem[] = [];
  const values = names.map((name) => {
    const definition: Setting<unknown> = settingsTable[name];
    const text = environment[name]?.trim() || definition.fallback;
    try {
      if (text === undefined) expects('a value');
      return [name, definition.parse(text ?? '')];
    } catch (error) {
      const found = error instanceof AppError ? error.facts.problems : undefined;
      problems.push(
        ...(
          found ?? [
            {
              pointer: '',
              expected: `${(error as Error).message}, such as ${exampleOf(definition)}`,
              received: describe(environment[name]),
            },
          ]
        ).map(
          (problem): Problem => ({
            ...problem,
            code: 'SETTINGS_INVALID',
            pointer: `${name}${problem.pointer}`,
          }),
        ),
      );
      return [name, undefined];
    }
  });
  // A connection can have a setting of its own, whose name is not in the table.
  const named = (names as readonly SettingName[]).includes('GRAPH_CONNECTIONS')
    ? readNamedConnections(environment)
    : undefined;
  problems.push(...(named?.problems ?? []));
  const wantsStorage = (names as readonly SettingName[]).includes('AzureWebJobsStorage__accountName');
  if (
    wantsStorage &&
    !environment.AzureWebJobsStorage &&
    !environment.AzureWebJobsStorage__accountName &&
    !hasServiceAddresses(environment)
  )
    problems.push({
      code: 'SETTINGS_INVALID',
      pointer: 'AzureWebJobsStorage__accountName',
      expected: 'the name of the storage account, or AzureWebJobsStorage for local work',
      received: 'nothing',
    });
  // Of everything that the relay calls, storage is the least.
  if (wantsStorage) problems.push(...proxyProblems(environment));
  const table = Object.fromEntries(values) as Settings;
  const read =
    named === undefined
      ? table
      : { ...table, GRAPH_CONNECTIONS: [...(table.GRAPH_CONNECTIONS ?? []), ...named.connections] };
  if (
    (names as readonly SettingName[]) === ALL &&
    !environment.KEY_VAULT_URL?.trim() &&
    !hasVaultWhereNeeded(read)
  )
    problems.push({
      code: 'SETTINGS_INVALID',
      pointer: 'KEY_VAULT_URL',
      expected: `the address of the vault that has the client secret, the certificate or the secrets of webhooks, such as ${settingsTable.KEY_VAULT_URL.example}`,
      received: 'nothing',
    });
  if ((names as readonly SettingName[]) === ALL) {
    if (problems.length === 0) problems.push(...checkTogether(read, environment, functionTimeoutSeconds));
    problems.push(...slips(environment));
  }
  if (problems.length > 0) throw new AppError('SETTINGS_INVALID', { problems });
  return read;
};
