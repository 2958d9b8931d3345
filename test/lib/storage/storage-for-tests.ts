import { afterAll } from 'vitest';
import { startAzurite } from '../../../local/azurite.ts';
import { layOutStorage } from '../../../local/storage-layout.ts';
import type { StorageConnection } from '../../../src/lib/storage/storage-connection.ts';

/** Azurite in memory with the queues, containers and the table of the relay, for one test file. */
export const storageForTests = async () => {
  const azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
  afterAll(() => azurite.close());
  await layOutStorage(azurite.connectionString);
  const { connectionString } = azurite;
  return { azurite, connection: { kind: 'connection-string', connectionString } satisfies StorageConnection };
};

/** Storage behind which nobody listens. */
export const awayStorage = (connection: { readonly connectionString: string }): StorageConnection => ({
  kind: 'connection-string',
  // Port 1 needs a privilege nobody has here.
  connectionString: connection.connectionString.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1'),
});
