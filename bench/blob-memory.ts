import { BlobServiceClient } from '@azure/storage-blob';
import type { BenchCloud, BenchStorage } from './cloud.ts';
import { startRelay } from './relay-under-load.ts';
import { mailboxOf, sampleMail } from './sample-mail.ts';

const CONTAINER = 'mail-attachments';
const SETTINGS = { MAIL_LARGE_ATTACHMENTS: 'true' };
/** Goes by the same code as a large one. */
const WARM_UP_BYTES = 8_000_000;
const WARM_UPS = 3;

const upload = async (connectionString: string, name: string, bytes: number): Promise<void> => {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(CONTAINER);
  await container.createIfNotExists();
  await container.getBlockBlobClient(name).uploadData(Buffer.alloc(bytes, 'pdf'));
};

/** How much more than before was resident at most, while an email with a blob of so many bytes was sent. */
export const measureBlob = async (
  appFolder: string,
  { cloud, storage }: { readonly cloud: BenchCloud; readonly storage: BenchStorage },
  bytes: number,
): Promise<number> => {
  await upload(storage.connectionString, 'warm-up.pdf', WARM_UP_BYTES);
  await upload(storage.connectionString, 'large.pdf', bytes);
  const relay = await startRelay(appFolder, cloud, storage, SETTINGS);
  const send = async (index: number, blob: string): Promise<void> => {
    const mail = { ...sampleMail(mailboxOf(index)), attachments: [{ blob }] };
    const { status, text } = await relay.postBody(JSON.stringify(mail));
    if (status !== 200) throw new Error(`POST /api/mail returned ${status} instead of 200: ${text}`);
  };
  try {
    await cloud.delay(0);
    for (let index = 0; index < WARM_UPS; index += 1) await send(index, 'warm-up.pdf');
    const { residentBytes } = await relay.readUse({ collect: true });
    await send(WARM_UPS, 'large.pdf');
    return Math.max(0, (await relay.readUse()).peakBytes - residentBytes);
  } finally {
    await relay.close();
  }
};
