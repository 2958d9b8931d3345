import { describe, expect, test } from 'vitest';
import { readSettings, type SettingName, settingsTable } from '../../src/lib/settings.ts';
import { errorOf, problemsOf } from '../support/problems-of.ts';

const enough = {
  ENTRA_TENANT_ID: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  KEY_VAULT_URL: 'https://kv-relay.vault.azure.net/',
  MAIL_DEFAULT_SENDER: 'Contoso <noreply@contoso.example>',
  AzureWebJobsStorage__accountName: 'stmailrelay',
};

describe('settings', () => {
  test('five are enough, the others have defaults', () => {
    expect(readSettings(enough)).toMatchObject({
      KEY_VAULT_URL: 'https://kv-relay.vault.azure.net',
      MAIL_DEFAULT_SENDER: { name: 'Contoso', address: 'noreply@contoso.example' },
      MAIL_ALLOWED_SENDERS: [],
      MAIL_ENABLED: true,
      MAIL_ON_UNKNOWN: 'verify',
      SECRET_WARNING_DAYS: [60, 30, 14, 7, 3, 1],
      GRAPH_ENDPOINT: 'https://graph.microsoft.com',
      AZURE_CLIENT_ID: undefined,
    });
  });

  test('all problems come at once', () => {
    expect(problemsOf(() => readSettings({ MAIL_ENABLED: 'yes' }))).toEqual([
      'SETTINGS_INVALID ENTRA_TENANT_ID',
      'SETTINGS_INVALID ENTRA_CLIENT_ID',
      'SETTINGS_INVALID KEY_VAULT_URL',
      'SETTINGS_INVALID MAIL_DEFAULT_SENDER',
      'SETTINGS_INVALID MAIL_ENABLED',
      'SETTINGS_INVALID AzureWebJobsStorage__accountName',
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
  ])('%s may not be %s, and the error does not show it', (name, value) => {
    const error = errorOf(() => readSettings({ ...enough, [name]: value }));
    expect(error.facts.problems).toHaveLength(1);
    expect(error.facts.problems?.[0]).toMatchObject({
      pointer: name,
      came: `a text of ${value.length} characters`,
    });
  });

  test('every example is a value its parser takes', () => {
    for (const { example, parse } of Object.values(settingsTable)) expect(() => parse(example)).not.toThrow();
  });

  test('storage alone can be read while the others are wrong', () => {
    expect(readSettings({ AzureWebJobsStorage: 'x' }, ['AzureWebJobsStorage'])).toEqual({
      AzureWebJobsStorage: 'x',
    });
  });
});
