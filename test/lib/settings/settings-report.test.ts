import { describe, expect, test } from 'vitest';
import { safetyLines } from '../../../src/lib/settings/safety-settings.ts';
import { type Environment, readSettings } from '../../../src/lib/settings/settings.ts';
import { reportSettings } from '../../../src/lib/settings/settings-report.ts';

const ENOUGH = {
  ENTRA_TENANT_ID: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  KEY_VAULT_URL: 'https://kv-relay.vault.azure.net/',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
  AzureWebJobsStorage__accountName: 'stmailrelay',
};
const report = (environment: Environment) =>
  reportSettings(() => readSettings({ ...ENOUGH, ...environment }));

describe('what is said of the settings', () => {
  test('is nothing in production', () => {
    expect(report({})).toEqual({ settingsInvalid: [], safetyOn: [] });
    expect(safetyLines([])).toEqual([]);
  });

  test('is the names of those that keep emails from their recipients, the one that decides first, and no address', () => {
    const on = report({
      MAIL_RECIPIENT_DOMAINS: 'contoso.example',
      MAIL_REDIRECT_TO: 'canary@contoso.example',
      MAIL_CAPTURE: 'true',
    });
    expect(on.safetyOn).toEqual(['MAIL_CAPTURE', 'MAIL_REDIRECT_TO', 'MAIL_RECIPIENT_DOMAINS']);
    expect(JSON.stringify([on, safetyLines(on.safetyOn)])).not.toMatch(/canary|contoso/);
  });

  test('is the names of those that are invalid: nothing is sent then', () => {
    expect(report({ MAIL_CAPTURE: 'on', MAIL_REDIRECT_TO: 'canary' })).toEqual({
      settingsInvalid: ['MAIL_REDIRECT_TO', 'MAIL_CAPTURE'],
      safetyOn: [],
    });
  });

  test('of a setting that only a later version knows is its name', () => {
    expect(safetyLines(['MAIL_LATER'])).toEqual(['MAIL_LATER is on.']);
  });
});
