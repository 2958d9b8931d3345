import type { Connection } from '../../src/lib/connections/connection.ts';

/** A connection with something of its own. */
export const aConnection = (name: string, more: Partial<Connection> = {}): Connection => ({
  name,
  cloud: 'global',
  authority: 'https://login.microsoftonline.com',
  graphEndpoint: 'https://graph.microsoft.com',
  tenantId: `${name}.example`,
  clientId: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  credential: { kind: 'client-secret', secretName: `graph-client-secret-${name}` },
  senders: [],
  ...more,
});
