import { CLOUDS } from '../../src/lib/connections/cloud.ts';
import type { Connection } from '../../src/lib/connections/connection.ts';
import type { CredentialProof, OpenConnection } from '../../src/lib/ports.ts';

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

/** The main connection, with a client secret. */
export const theMainConnection = (changes: Partial<Connection> = {}): Connection => ({
  name: 'main',
  cloud: 'global',
  authority: CLOUDS.global.authority,
  graphEndpoint: CLOUDS.global.graphEndpoint,
  tenantId: 'contoso.example',
  clientId: '11111111-2222-3333-4444-555555555555',
  credential: { kind: 'client-secret', secretName: 'graph-client-secret' },
  senders: [],
  ...changes,
});

/** A connection whose credential Entra accepts, and whose registration the relay may not read. */
export const anOpenConnection = (
  connection: Connection,
  proveCredential: () => Promise<Pick<CredentialProof, 'version'>> = async () => ({}),
  registration: Partial<OpenConnection['registration']> = {},
): OpenConnection => ({
  connection,
  proveCredential: async () => ({
    roles: ['Mail.Send'],
    expiresOn: new Date('2026-03-02T09:00:00Z'),
    ...(await proveCredential()),
  }),
  proveSecret: async () => undefined,
  registration: {
    read: async () => undefined,
    addPassword: () => Promise.reject(new Error('nothing adds a password here')),
    removePassword: () => Promise.reject(new Error('nothing removes a password here')),
    ...registration,
  },
});
