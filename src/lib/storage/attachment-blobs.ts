import { type BlobServiceClient, RestError } from '@azure/storage-blob';
import type { AttachmentBlobs } from '../ports.ts';
import { isBlobGone, unlessGone } from './blob-gone.ts';
import { explained } from './explain-failures.ts';
import { ATTACHMENT_CONTAINER } from './storage-connection.ts';

/** There is none of this name, or no longer in this version. */
const isVersionGone = (error: unknown): boolean =>
  isBlobGone(error) || (error instanceof RestError && error.statusCode === 412);

/** The files that applications have put into storage. The relay only reads them. */
export const openAttachmentBlobs = (service: BlobServiceClient): AttachmentBlobs => {
  const container = service.getContainerClient(ATTACHMENT_CONTAINER);
  return {
    find: explained(async (name) => {
      const found = await unlessGone(container.getBlobClient(name).getProperties());
      return found && { bytes: found.contentLength ?? 0, etag: found.etag ?? '' };
    }),
    read: explained((name, etag, start, count) =>
      unlessGone(
        container.getBlobClient(name).downloadToBuffer(start, count, { conditions: { ifMatch: etag } }),
        isVersionGone,
      ),
    ),
  };
};
