import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Azurite, type AzuriteOptions, STORAGE_RESOURCE, startAzurite } from '../../../local/azurite.ts';
import { obtainCertificate } from '../../../local/certificate.ts';
import { LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { startManagedIdentity } from '../../../local/managed-identity/start-managed-identity.ts';
import { layOutStorage } from '../../../local/storage-layout.ts';
import type { StorageConnection } from '../../../src/lib/storage/storage-connection.ts';
import { openManagedIdentity } from '../../../src/lib/vault/managed-identity.ts';
import { trust } from '../../local/certificate-for-tests.ts';

/** Beside the connection that the relay is given, the one with which a test looks on. */
type ConnectionForTests = StorageConnection & { readonly connectionString: string };

/** The project `identity` runs the same tests as an app in Azure does: with tokens of its managed identity. */
const WITH_IDENTITY = process.env.STORAGE_OF_TESTS === 'identity';

const ANY_PORTS = { blobPort: 0, queuePort: 0, tablePort: 0 };

/** Azurite in memory with the queues, containers and the table of the relay, for one test file. */
export const storageForTests = async (): Promise<{
  readonly azurite: Azurite;
  readonly connection: ConnectionForTests;
}> => {
  const azurite = await start(WITH_IDENTITY ? { certificate: await certificate() } : {});
  const { connectionString } = azurite;
  if (!WITH_IDENTITY) return { azurite, connection: { kind: 'connection-string', connectionString } };
  return { azurite, connection: { ...(await withIdentity(azurite)), connectionString } };
};

const start = async (options: Partial<AzuriteOptions>): Promise<Azurite> => {
  const azurite = await startAzurite({ ...ANY_PORTS, ...options });
  afterAll(() => azurite.close());
  await layOutStorage(azurite.connectionString);
  return azurite;
};

const once = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
};

const certificate = once(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'storage-'));
  afterAll(() => rm(folder, { recursive: true }));
  const made = await obtainCertificate(folder, new Date());
  trust(made.tls.cert);
  return made;
});

const credential = once(async () => {
  const now = () => new Date();
  const endpoint = await startManagedIdentity({
    port: 0,
    tenantId: LOCAL_TENANT_ID,
    identities: [{ clientId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', systemAssigned: true }],
    resources: () => [STORAGE_RESOURCE],
    keys: await makeTokenKeys(now),
    now,
  });
  afterAll(() => endpoint.close());
  Object.assign(process.env, endpoint.environment);
  return openManagedIdentity(undefined, {});
});

const withIdentity = async ({ blobUrl: blob, queueUrl: queue, tableUrl: table }: Azurite) =>
  ({ kind: 'account', addresses: { blob, queue, table }, credential: await credential() }) as const;

/** Port 1 needs a privilege nobody has here. */
const away = (text: string): string => text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1');

/** Storage behind which nobody listens. */
export const awayStorage = (connection: ConnectionForTests): StorageConnection => {
  if (connection.kind === 'connection-string')
    return { kind: 'connection-string', connectionString: away(connection.connectionString) };
  const { blob, queue, table } = connection.addresses;
  return { ...connection, addresses: { blob: away(blob), queue: away(queue), table: away(table) } };
};
