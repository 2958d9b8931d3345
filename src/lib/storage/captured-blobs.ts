import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import type { CapturedRecord } from '../inbox/captured-record.ts';
import type { MailpitSummary } from '../inbox/mailpit-shapes.ts';
import type { Captured, CapturedPlace } from '../ports.ts';
import { unlessGone } from './blob-gone.ts';
import { explained, explainedList } from './explain-failures.ts';

const DAY_MS = 86_400_000;
const DIGITS = 8;
/** Removals at one time. */
const AT_ONCE = 16;

/**
 * By day, and within a day by the time until its end: Storage lists names in their order, so a day begins with what is newest. An email
 * that is stored once more has the same name.
 */
const nameOf = ({ mailId, dueFrom }: CapturedPlace): string => {
  const time = Date.parse(dueFrom);
  const until = DAY_MS - (time % DAY_MS);
  return `${new Date(time).toISOString().slice(0, 10)}/${String(until).padStart(DIGITS, '0')}-${mailId}.json`;
};

/** What a list shows is beside the blob, so that a page of it is one request; metadata is ASCII. */
const written = (summary: MailpitSummary): string =>
  Buffer.from(JSON.stringify(summary)).toString('base64url');
const read = (text = ''): MailpitSummary => JSON.parse(Buffer.from(text, 'base64url').toString());

/** Captured emails. */
export const openCapturedBlobs = (container: ContainerClient): Captured => {
  const days = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const item of container.listBlobsByHierarchy('/'))
      if (item.kind === 'prefix') found.push(item.name);
    return found.reverse();
  };
  const removeAll = async (names: AsyncIterable<BlobItem>, isOver: () => boolean): Promise<number> => {
    let removed = 0;
    const batch: Promise<unknown>[] = [];
    for await (const { name } of names) {
      if (isOver()) break;
      batch.push(container.getBlockBlobClient(name).deleteIfExists());
      removed += 1;
      if (batch.length === AT_ONCE) await Promise.all(batch.splice(0));
    }
    await Promise.all(batch);
    return removed;
  };
  return {
    store: explained(async (record, summary) => {
      const json = Buffer.from(JSON.stringify(record));
      await container.getBlockBlobClient(nameOf(record)).upload(json, json.length, {
        blobHTTPHeaders: { blobContentType: 'application/json; charset=utf-8' },
        metadata: { summary: written(summary) },
      });
    }),
    list: explainedList(async function* () {
      // Of what somebody else put there nothing is known.
      for (const prefix of await days())
        for await (const { metadata } of container.listBlobsFlat({ prefix, includeMetadata: true }))
          if (metadata?.summary !== undefined) yield read(metadata.summary);
    }),
    read: explained(async (place) => {
      const blob = container.getBlockBlobClient(nameOf(place));
      const bytes = await unlessGone(blob.downloadToBuffer());
      return bytes && (JSON.parse(bytes.toString()) as CapturedRecord);
    }),
    delete: explained(async (place) => {
      await container.getBlockBlobClient(nameOf(place)).deleteIfExists();
    }),
    clear: explained(async (isOver) => {
      await removeAll(container.listBlobsFlat(), isOver);
    }),
    expire: explained(async (before, isOver) => {
      const day = before.toISOString().slice(0, 10);
      let removed = 0;
      for (const prefix of (await days()).filter((one) => one < day))
        removed += await removeAll(container.listBlobsFlat({ prefix }), isOver);
      return removed;
    }),
  };
};
