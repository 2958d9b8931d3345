import { Readable } from 'node:stream';
import { type BlobItem, BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import { readHeldRecord, writeHeldRecord } from '../ledger/held-record.ts';
import type { Payloads, Ports, Records } from '../ports.ts';
import { openAttachmentBlobs } from './attachment-blobs.ts';
import { isBlobGone, unlessGone } from './blob-gone.ts';
import { openCapturedBlobs } from './captured-blobs.ts';
import { explained, explainedList } from './explain-failures.ts';
import {
  CAPTURED_CONTAINER,
  clientOptionsOf,
  HELD_CONTAINER,
  PAYLOAD_CONTAINER,
  type StorageConnection,
} from './storage-connection.ts';

const openService = (connection: StorageConnection): BlobServiceClient =>
  connection.kind === 'connection-string'
    ? BlobServiceClient.fromConnectionString(connection.connectionString, clientOptionsOf(connection))
    : new BlobServiceClient(connection.addresses.blob, connection.credential, clientOptionsOf(connection));

/** In the pieces that it is in: they are never joined. A retry begins with the first again. */
const putJson = async (
  container: ContainerClient,
  name: string,
  json: readonly Uint8Array[],
  conditions: { readonly ifNoneMatch?: string } = {},
): Promise<string> => {
  const length = json.reduce((sum, { byteLength }) => sum + byteLength, 0);
  await container.getBlockBlobClient(name).upload(() => Readable.from(json, { objectMode: false }), length, {
    blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
    conditions,
  });
  return name;
};

/** A record without the mail never takes the place of one that has it, whoever is later. */
const putUnlessThere = async (
  container: ContainerClient,
  name: string,
  json: readonly Uint8Array[],
): Promise<string> => {
  try {
    return await putJson(container, name, json, { ifNoneMatch: '*' });
  } catch (error) {
    if (error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412)) return name;
    throw error;
  }
};

const openBlob = async (
  container: ContainerClient,
  name: string,
): Promise<AsyncIterable<Uint8Array> | undefined> => {
  const found = await unlessGone(container.getBlockBlobClient(name).download());
  return found && chunksOf(found.readableStreamBody);
};

/** The download can end at any chunk. */
const chunksOf = explainedList(async function* (body: NodeJS.ReadableStream | undefined) {
  for await (const chunk of body ?? []) yield chunk as Uint8Array;
});

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

/** Stored contents of waiting emails. */
const openPayloads = (container: ContainerClient): Payloads => ({
  put: explained(async (mailId, contentHash, json) => {
    await putJson(container, payloadOf(mailId, contentHash), json);
  }),
  read: explained((mailId, contentHash) => openBlob(container, payloadOf(mailId, contentHash))),
  sizeOf: explained(async (mailId, contentHash) => {
    const blob = container.getBlockBlobClient(payloadOf(mailId, contentHash));
    return (await unlessGone(blob.getProperties()))?.contentLength;
  }),
  keep: explained(async (mailId, contentHash) => {
    // Any change makes a blob young again, and the sweep deletes old ones.
    await container
      .getBlockBlobClient(payloadOf(mailId, contentHash))
      .setMetadata({})
      .catch((error: unknown) => {
        if (!isBlobGone(error)) throw error;
      });
  }),
  list: explainedList(async function* (before) {
    for await (const { name, properties } of container.listBlobsFlat())
      if (properties.lastModified < before)
        yield { ...payloadFacts(name), writtenAt: properties.lastModified };
  }),
  delete: explained(async (mailId, contentHash) => {
    await container.getBlockBlobClient(payloadOf(mailId, contentHash)).deleteIfExists();
  }),
});

/** Records of held emails. */
const openRecords = (container: ContainerClient): Records => ({
  // Days first, so that a listing shows what happened when; a mail held twice in a day keeps its last record.
  store: explained((record) => {
    const put = record.original === undefined ? putUnlessThere : putJson;
    const name = `${record.heldAt.slice(0, 10)}/${record.mailId}.json`;
    return put(container, name, writeHeldRecord(record));
  }),
  list: explained(async (limit, after) => {
    const pages = container
      .listBlobsFlat()
      .byPage({ maxPageSize: limit, ...defined({ continuationToken: after }) });
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
  }),
  read: explained(async (name) => {
    const found = await unlessGone(container.getBlockBlobClient(name).download());
    if (found === undefined) return undefined;
    return {
      ...(await readHeldRecord(chunksOf(found.readableStreamBody))),
      ...defined({ version: found.etag }),
    };
  }),
  delete: explained(async (name, version) => {
    const conditions = defined({ ifMatch: version });
    await container
      .getBlockBlobClient(name)
      .deleteIfExists({ conditions })
      .catch((error: unknown) => {
        if (!(error instanceof RestError && error.statusCode === 412)) throw error;
      });
  }),
});

export type MailBlobs = Pick<Ports, 'payloads' | 'records' | 'captured' | 'attachments'>;

/** The blobs of the relay. */
export const openMailBlobs = (connection: StorageConnection): MailBlobs => {
  const service = openService(connection);
  return {
    payloads: openPayloads(service.getContainerClient(PAYLOAD_CONTAINER)),
    records: openRecords(service.getContainerClient(HELD_CONTAINER)),
    captured: openCapturedBlobs(service.getContainerClient(CAPTURED_CONTAINER)),
    attachments: openAttachmentBlobs(service),
  };
};
