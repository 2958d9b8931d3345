import { expect, test } from 'vitest';
import type { LogEvent } from '../src/lib/log.ts';
import { openRelay } from '../src/relay.ts';

const VALID = {
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  ENTRA_TENANT_ID: 'contoso.example',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  KEY_VAULT_URL: 'https://kv-relay.vault.azure.net',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
  SECRET_WARNING_RECIPIENTS: 'it@contoso.example',
  SECRET_WARNING_WEBHOOK: 'https://hooks.slack.com/services/a',
  SECRET_WARNING_DAYS: '20,5',
  MAIL_LANGUAGE: 'zh-Hant',
};

const needsWith = (changes: Readonly<Record<string, string>>) => {
  const logged: LogEvent[] = [];
  const relay = openRelay(
    { ...VALID, ...changes },
    {
      now: () => new Date(),
      steadyNow: () => new Date(),
      random: Math.random,
      sleep: async () => {},
      later: () => undefined,
      memoryBytes: 2_000_000_000,
      version: '0.0.0',
    },
    300,
  );
  const needs = relay.forWarnExpiringSecrets((event) => void logged.push(event));
  return {
    says: logged.flatMap((one) => (one.event === 'SettingsInvalid' ? one.settings : [])),
    seen: {
      vault: needs.vault !== undefined && needs.vaultName,
      connections: needs.connections.map(({ connection }) => connection.name),
      sender: needs.senderPolicy?.defaultSender.address,
      warningDays: needs.warningDays,
      recipients: needs.recipients,
      webhook: needs.webhook !== undefined,
      language: needs.language,
    },
    needs,
  };
};

const ALL = {
  vault: 'kv-relay',
  connections: ['main'],
  sender: 'noreply@contoso.example',
  warningDays: [20, 5],
  recipients: ['it@contoso.example'],
  webhook: true,
  language: 'zh-Hant',
};

test('with valid settings, the check of credentials has all of them', () => {
  expect(needsWith({})).toMatchObject({ seen: ALL, says: [] });
});

test.each<[string, string, Partial<Record<keyof typeof ALL, unknown>>]>([
  ['MAIL_GIVE_UP_HOURS', 'never', {}],
  ['MAIL_CALLERS', '[{', {}],
  ['SECRET_WARNING_DAYS', 'soon', { warningDays: [60, 30, 14, 7, 3, 1] }],
  ['SECRET_WARNING_RECIPIENTS', 'it', { recipients: [] }],
  ['SECRET_WARNING_WEBHOOK', 'ftp://x', { webhook: false }],
  ['MAIL_LANGUAGE', 'Latin', { language: 'en' }],
  ['MAIL_DEFAULT_SENDER', 'noreply', { sender: undefined }],
  ['GRAPH_CONNECTIONS', '[{', {}],
  ['GRAPH_TIMEOUT_SECONDS', 'soon', {}],
  ['ENTRA_TENANT_ID', '???', { connections: [] }],
])('with an invalid %s, the check leaves that out alone, and says so', (name, value, changes) => {
  const { seen, says } = needsWith({ [name]: value });
  expect(seen).toEqual({ ...ALL, ...changes });
  expect(says).toContainEqual(expect.stringContaining(name));
});

test('with an invalid address of the vault, the check does what it can, and fails', async () => {
  const { needs, seen } = needsWith({ KEY_VAULT_URL: 'ftp://x' });
  expect(seen).toEqual({ ...ALL, vault: '' });
  await expect(needs.vault?.listSecrets()).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
});
