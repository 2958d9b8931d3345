import type { ReadElsewhere } from '../inbox/attachment-content.ts';
import { BLOB_PLACE, NOT_KEPT } from '../inbox/captured-record.ts';
import { InboxProblem } from '../inbox/inbox-problem.ts';
import type { Ports } from '../ports.ts';

/** A response of a function is one piece of memory. */
const MOST_BYTES = 25_000_000;

/** Reads the files of captured emails that are not in what was kept: blobs of applications. Throws an InboxProblem. */
export const readCapturedFile =
  ({ attachments }: Pick<Ports, 'attachments'>): ReadElsewhere =>
  async (place) => {
    if (place === NOT_KEPT)
      throw new InboxProblem(404, 'This file was too large to be kept: captured emails have 10 MB of files.');
    const name = place.slice(BLOB_PLACE.length);
    const found = await attachments.find(name);
    if (found === undefined)
      throw new InboxProblem(404, 'The application has deleted the blob of this file since.');
    if (found.bytes > MOST_BYTES)
      throw new InboxProblem(
        404,
        `This file has ${found.bytes} bytes, more than the inbox shows. It is a blob of the container mail-attachments.`,
      );
    if (found.bytes === 0) return Buffer.alloc(0);
    const content = await attachments.read(name, found.etag, 0, found.bytes);
    if (content !== undefined) return content;
    throw new InboxProblem(404, 'The blob of this file was changed while it was read. Open it again.');
  };
