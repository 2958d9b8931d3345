import { CLOUDS } from '../../src/lib/connections/cloud.ts';
import type { Connection } from '../../src/lib/connections/connection.ts';
import type { CredentialProof, OpenConnection } from '../../src/lib/ports.ts';

/** The main connection, with a client secret. */
export const aConnection = (changes: Partial<Connection> = {}): Connection => ({
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
