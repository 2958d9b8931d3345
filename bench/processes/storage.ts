import { startAzurite } from '../../local/azurite.ts';
import { layOutStorage } from '../../local/storage-layout.ts';
import { queryByPartition } from './partition-index.ts';
import { serveParent } from './serve-parent.ts';

/**
 * Storage in a process and in memory: Azurite on disk writes its whole table anew every five seconds, and that
 * would be what a bench with many rows measures.
 */
export type StorageSaid = { readonly connectionString: string };

queryByPartition();
await serveParent(async () => {
  const azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
  await layOutStorage(azurite.connectionString);
  const said: StorageSaid = { connectionString: azurite.connectionString };
  return { said, close: azurite.close };
});
