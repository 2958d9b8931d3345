import { text } from 'node:stream/consumers';
import { type BlobItem, BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import type { ArriveNeeds } from '../delivery/arrived-message.ts';
import type { DeliverMailNeeds } from '../delivery/deliver-mail.ts';
import type { HeldRecord, HoldNeeds } from '../delivery/hold.ts';
import type { QueueMailNeeds } from '../delivery/queue-mail.ts';
import type { SweepNeeds } from '../delivery/sweep-mail.ts';
import type { DeskNeeds } from '../desk/desk.ts';
import { AppError } from '../errors.ts';
import {
  HELD_CONTAINER,
  PAYLOAD_CONTAINER,
  STORAGE_RETRIES,
  type StorageConnection,
} from './storage-connection.ts';

export type MailBlobs = Pick<QueueMailNeeds, 'putPayload'> &
  Pick<ArriveNeeds, 'readPayload'> &
  Pick<DeliverMailNeeds, 'keepPayload'> &
  Pick<HoldNeeds, 'storeHeld'> &
  Pick<SweepNeeds, 'listPayloads' | 'deletePayload'> &
  Pick<DeskNeeds, 'listRecords' | 'readRecord' | 'deleteRecord'>;

const openService = (connection: StorageConnection): BlobServiceClient =>
  connection.kind === 'connection-string'
    ? BlobServiceClient.fromConnectionString(connection.connectionString, STORAGE_RETRIES)
    : new BlobServiceClient(
        `https://${connection.accountName}.blob.core.windows.net`,
        connection.credential,
        STORAGE_RETRIES,
      );

/** Not the container: that it is missing is a fault of the set-up, and no word about the blob. */
const isBlobGone = (error: unknown): boolean => error instanceof RestError && error.code === 'BlobNotFound';

const putJson = async (
  container: ContainerClient,
  name: string,
  json: string,
  conditions: { readonly ifNoneMatch?: string } = {},
): Promise<string> => {
  const bytes = Buffer.from(json);
  await container.getBlockBlobClient(name).upload(bytes, bytes.length, {
    blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
    conditions,
  });
  return name;
};

/** A record without the mail never takes the place of one that has it, whoever is later. */
const putUnlessThere = async (container: ContainerClient, name: string, json: string): Promise<string> => {
  try {
    return await putJson(container, name, json, { ifNoneMatch: '*' });
  } catch (error) {
    if (error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412)) return name;
    throw error;
  }
};

const readText = async (container: ContainerClient, name: string): Promise<string | undefined> => {
  try {
    const { readableStreamBody } = await container.getBlockBlobClient(name).download();
    return readableStreamBody === undefined ? undefined : await text(readableStreamBody);
  } catch (error) {
    if (isBlobGone(error)) return undefined;
    throw error;
  }
};

/**
 * By id and hash of the content, both of which the relay makes: two contents that were sent with one key do not overwrite
 * each other. Hashes have had a dot since they are keyed; before, the id was enough.
 */
const payloadOf = (mailId: string, contentHash: string): string =>
  contentHash.includes('.') ? `${mailId}/${contentHash}.json` : `${mailId}.json`;

const payloadFacts = (name: string): { readonly mailId: string; readonly contentHash: string } => {
  const [mailId = '', contentHash = ''] = name.replace(/\.json$/, '').split('/');
  return { mailId, contentHash };
};

/** Records are named after their mail. */
const mailIdOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1).replace(/\.json$/, '');

/** The blobs of the relay: payloads of waiting mails, and records of held mails. */
export const openMailBlobs = (connection: StorageConnection): MailBlobs => {
  const service = openService(connection);
  const payloads = service.getContainerClient(PAYLOAD_CONTAINER);
  const records = service.getContainerClient(HELD_CONTAINER);
  return {
    putPayload: async (mailId, contentHash, json) => {
      await putJson(payloads, payloadOf(mailId, contentHash), json);
    },
    readPayload: (mailId, contentHash) => readText(payloads, payloadOf(mailId, contentHash)),
    keepPayload: async (mailId, contentHash) => {
      // Any change makes a blob young again, and the sweep deletes old ones.
      await payloads
        .getBlockBlobClient(payloadOf(mailId, contentHash))
        .setMetadata({})
        .catch((error: unknown) => {
          if (!isBlobGone(error)) throw error;
        });
    },
    listPayloads: async function* (before) {
      for await (const { name, properties } of payloads.listBlobsFlat())
        if (properties.lastModified < before) yield payloadFacts(name);
    },
    deletePayload: async (mailId, contentHash) => {
      await payloads.getBlockBlobClient(payloadOf(mailId, contentHash)).deleteIfExists();
    },
    // Days first, so that a listing shows what happened when; a mail held twice in a day keeps its last record.
    storeHeld: (record) => {
      const put = record.original === undefined ? putUnlessThere : putJson;
      const name = `${record.heldAt.slice(0, 10)}/${record.mailId}.json`;
      return put(records, name, JSON.stringify(record, null, 2));
    },
    listRecords: async (limit, after) => {
      const pages = records.listBlobsFlat().byPage({
        maxPageSize: limit,
        ...(after === undefined ? {} : { continuationToken: after }),
      });
      const { value: page } = await pages.next().catch((error: unknown) => {
        if (after === undefined || !(error instanceof RestError) || error.statusCode !== 400) throw error;
        throw new AppError('QUERY_INVALID', {
          detail: 'Expected in `after` the value of `next` of the previous page.',
        });
      });
      const { segment, continuationToken } = page ?? { segment: { blobItems: [] } };
      return {
        records: (segment.blobItems as BlobItem[]).map(({ name, properties }) => ({
          name,
          mailId: mailIdOf(name),
          writtenAt: properties.lastModified,
        })),
        ...(continuationToken ? { next: continuationToken } : {}),
      };
    },
    readRecord: async (name) => {
      const text = await readText(records, name);
      return text === undefined ? undefined : (JSON.parse(text) as HeldRecord);
    },
    deleteRecord: async (name) => {
      await records.getBlockBlobClient(name).deleteIfExists();
    },
  };
};
