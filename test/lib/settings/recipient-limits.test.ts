import { describe, expect, test } from 'vitest';
import { toConnections } from '../../../src/lib/settings/connections.ts';
import { toRecipientLimits } from '../../../src/lib/settings/recipient-limits.ts';
import { type Environment, readSettings } from '../../../src/lib/settings/settings.ts';

const TENANT = '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812';
const OTHER = '5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871';
const CLIENT = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55';

const limitsOf = (environment: Environment, ...connections: readonly object[]) => {
  const settings = readSettings(
    {
      ENTRA_TENANT_ID: TENANT,
      ENTRA_CLIENT_ID: CLIENT,
      MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
      GRAPH_CONNECTIONS: JSON.stringify(connections),
      ...environment,
    },
    [
      'ENTRA_TENANT_ID',
      'ENTRA_CLIENT_ID',
      'ENTRA_AUTHORITY',
      'GRAPH_CLOUD',
      'GRAPH_ENDPOINT',
      'GRAPH_CREDENTIAL',
      'CLIENT_SECRET_NAME',
      'CLIENT_CERTIFICATE_NAME',
      'GRAPH_CONNECTIONS',
      'MAIL_DEFAULT_SENDER',
      'MAIL_ALLOWED_SENDERS',
      'MAIL_EXTERNAL_RECIPIENTS_PER_DAY',
      'MAIL_INTERNAL_DOMAINS',
      'MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY',
    ],
  );
  return toRecipientLimits(settings, toConnections(settings));
};

const fabrikam = (more: object = {}) => ({
  name: 'fabrikam',
  senders: ['*@fabrikam.example', 'it@fabrikam.org.example'],
  tenantId: OTHER,
  clientId: CLIENT,
  ...more,
});

describe('limits of external recipients', () => {
  test('by default are 100 for onmicrosoft.com, and none for the tenant', () => {
    expect(limitsOf({})('noreply@contoso.example')).toEqual({
      tenant: `global/${TENANT}`,
      domains: ['contoso.example'],
      onmicrosoft: 100,
    });
  });

  test('are those of the settings for the main connection, with the domains that settings and senders name', () => {
    const limits = limitsOf(
      {
        MAIL_ALLOWED_SENDERS: 'hr@payroll.example, *@contoso.example, boss@fabrikam.example',
        MAIL_EXTERNAL_RECIPIENTS_PER_DAY: '60000',
        MAIL_INTERNAL_DOMAINS: 'contoso.org.example',
        MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY: '40',
      },
      fabrikam(),
    );
    expect(limits('hr@payroll.example')).toEqual({
      tenant: `global/${TENANT}`,
      domains: ['contoso.org.example', 'contoso.example', 'payroll.example'],
      external: 60_000,
      onmicrosoft: 40,
    });
  });

  test('of another tenant are its own: those of the main connection say nothing of it', () => {
    const environment = {
      MAIL_EXTERNAL_RECIPIENTS_PER_DAY: '60000',
      MAIL_INTERNAL_DOMAINS: 'contoso.org.example',
    };
    const tenant = `global/${OTHER}`;
    const domains = ['fabrikam.example', 'fabrikam.org.example'];
    expect(limitsOf(environment, fabrikam())('a@fabrikam.example')).toEqual({
      tenant,
      domains,
      onmicrosoft: 100,
    });
    const own = fabrikam({ externalRecipientsPerDay: 9000, internalDomains: ['fabrikam.net.example'] });
    expect(limitsOf(environment, own)('a@fabrikam.example')).toEqual({
      tenant,
      domains: ['fabrikam.net.example', ...domains],
      external: 9000,
      onmicrosoft: 100,
    });
  });

  test('are one for all connections of a tenant, and the lowest number holds', () => {
    const limits = limitsOf(
      { MAIL_EXTERNAL_RECIPIENTS_PER_DAY: '60000' },
      fabrikam({ tenantId: TENANT.toUpperCase(), externalRecipientsPerDay: 9000 }),
    );
    expect(limits('noreply@contoso.example')).toEqual(limits('a@fabrikam.example'));
    expect(limits('noreply@contoso.example')).toMatchObject({ tenant: `global/${TENANT}`, external: 9000 });
  });

  test.each([
    ['MAIL_EXTERNAL_RECIPIENTS_PER_DAY', '0'],
    ['MAIL_EXTERNAL_RECIPIENTS_PER_DAY', '10,000'],
    ['MAIL_ONMICROSOFT_RECIPIENTS_PER_DAY', '0'],
    ['MAIL_INTERNAL_DOMAINS', '*@contoso.example'],
    ['MAIL_INTERNAL_DOMAINS', 'contoso'],
  ])('are refused where %s is %s', (name, value) => {
    expect(() => limitsOf({ [name]: value })).toThrow(expect.objectContaining({ code: 'SETTINGS_INVALID' }));
  });
});
