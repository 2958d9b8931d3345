import { expect, test } from 'vitest';
import { readUsable } from '../../../src/lib/settings/usable-settings.ts';

const NAMES = ['ENTRA_TENANT_ID', 'GRAPH_TIMEOUT_SECONDS', 'GRAPH_CONNECTIONS'] as const;
const TENANT = 'contoso.example';
const FABRIKAM = {
  tenantId: 'fabrikam.example',
  clientId: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  secretName: 'fabrikam-secret',
  senders: ['*@fabrikam.example'],
};

test('a setting that is invalid counts as not set, and takes no other with it', () => {
  const read = readUsable(
    {
      ENTRA_TENANT_ID: TENANT,
      GRAPH_TIMEOUT_SECONDS: 'soon',
      GRAPH_CONNECTION_FABRIKAM: JSON.stringify(FABRIKAM),
      MAIL_ENABLED: 'perhaps',
    },
    NAMES,
  );
  expect(read).toMatchObject({
    ENTRA_TENANT_ID: TENANT,
    GRAPH_TIMEOUT_SECONDS: 60,
    GRAPH_CONNECTIONS: [{ name: 'fabrikam' }],
  });
});

test('a list of connections that is none leaves the main one', () => {
  expect(readUsable({ ENTRA_TENANT_ID: TENANT, GRAPH_CONNECTIONS: '[{' }, NAMES)).toMatchObject({
    ENTRA_TENANT_ID: TENANT,
    GRAPH_CONNECTIONS: [],
  });
});

test.each([[{}], [{ ENTRA_TENANT_ID: '???' }]])(
  'without one that is needed there are none: %j',
  (environment) => {
    expect(readUsable(environment, NAMES)).toBeUndefined();
  },
);
