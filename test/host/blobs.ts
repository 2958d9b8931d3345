import { BlobServiceClient } from '@azure/storage-blob';
import type { RelayForTests } from './relay-for-tests.ts';

const containerOf = ({ cloud }: RelayForTests, container: string) =>
  BlobServiceClient.fromConnectionString(cloud.azurite.connectionString).getContainerClient(container);

/** The blobs of a container in the relay's storage account. */
export const blobNames = async (relay: RelayForTests, container: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of containerOf(relay, container).listBlobsFlat()) names.push(name);
  return names;
};

export const readBlob = async (
  relay: RelayForTests,
  container: string,
  name: string,
): Promise<Record<string, unknown>> =>
  JSON.parse((await containerOf(relay, container).getBlobClient(name).downloadToBuffer()).toString('utf8'));
