import { BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { DeliverMailNeeds } from '../deliver-mail.ts';
import type { QueueMailNeeds } from '../queue-mail.ts';
import type { SetAsideNeeds } from '../set-aside.ts';
import {
  PAYLOAD_CONTAINER,
  SET_ASIDE_CONTAINER,
  STORAGE_RETRIES,
  type StorageConnection,
} from './storage-connection.ts';

export type MailBlobs = Pick<QueueMailNeeds, 'putPayload'> &
  Pick<DeliverMailNeeds, 'readPayload' | 'deletePayload'> &
  Pick<SetAsideNeeds, 'storeSetAside'>;

const openService = (connection: StorageConnection): BlobServiceClient =>
  connection.kind === 'connection-string'
    ? BlobServiceClient.fromConnectionString(connection.connectionString, STORAGE_RETRIES)
    : new BlobServiceClient(
        `https://${connection.accountName}.blob.core.windows.net`,
        connection.credential,
        STORAGE_RETRIES,
      );

const isNotFound = (error: unknown): boolean => error instanceof RestError && error.statusCode === 404;

const putJson = async (container: ContainerClient, name: string, json: string): Promise<string> => {
  const bytes = Buffer.from(json);
  await container.getBlockBlobClient(name).upload(bytes, bytes.length, {
    blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
  });
  return name;
};

/** The blobs of the relay: payloads of waiting mails, and records of mails set aside. */
export const openMailBlobs = (connection: StorageConnection): MailBlobs => {
  const service = openService(connection);
  const payloads = service.getContainerClient(PAYLOAD_CONTAINER);
  const records = service.getContainerClient(SET_ASIDE_CONTAINER);
  return {
    putPayload: (mailId, json) => putJson(payloads, `${mailId}.json`, json),
    readPayload: async (name) => {
      try {
        return (await payloads.getBlockBlobClient(name).downloadToBuffer()).toString('utf8');
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    deletePayload: async (name) => {
      await payloads.getBlockBlobClient(name).deleteIfExists();
    },
    // Days first, so that a listing shows what happened when; one mail set aside twice in a day keeps its last record.
    storeSetAside: (record) =>
      putJson(
        records,
        `${record.setAsideAt.slice(0, 10)}/${record.mailId}.json`,
        JSON.stringify(record, null, 2),
      ),
  };
};
