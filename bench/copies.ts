import { BlobServiceClient } from '@azure/storage-blob';
import type { BenchCloud, BenchStorage } from './cloud.ts';
import { type RelayUnderLoad, startRelay } from './relay-under-load.ts';
import { mailboxOf, sampleMail } from './sample-mail.ts';

const CONTAINER = 'mail-attachments';
const COUNT_COPIES = new URL('./processes/count-copies.ts', import.meta.url);
const SETTINGS = { MAIL_LARGE_ATTACHMENTS: 'true', MAIL_MAX_REQUEST_MB: '20' };
const BLOB = 'copies.pdf';
/** Not what could be base64 itself: the relay would take it for encoded twice. */
const CONTENT = '%PDF-1.7 ';
/** The first loads code, and the second is measured. */
const TIMES = 2;

type Kind = 'json' | 'mime' | 'draft';

export type Copies = {
  readonly way: string;
  readonly bytes: number;
  /** How often each byte of the file is copied, decoded or encoded. */
  readonly perByte: number;
  /** The most that it should be. */
  readonly aim: number;
};

type Way = {
  readonly way: string;
  readonly kind: Kind;
  readonly bytes: number;
  readonly aim: number;
  readonly isInBlob?: true;
  readonly fields?: Readonly<Record<string, string>>;
};

/**
 * As large as one request to Graph carries in this form, and a file that has to be uploaded. One copy of base64 is 4/3 bytes
 * for each byte of a file. JSON needs one; MIME decodes, encodes, folds and encodes again; an upload decodes; a blob is read.
 */
const WAYS: readonly Way[] = [
  { way: 'JSON', kind: 'json', bytes: 2_100_000, aim: 1.4 },
  { way: 'MIME', kind: 'mime', bytes: 1_200_000, aim: 12, fields: { text: 'Your pay slip is ready.' } },
  { way: 'draft, file below 3 MB in the email', kind: 'draft', bytes: 2_999_000, aim: 3 },
  { way: 'draft, larger file in the email', kind: 'draft', bytes: 9_000_000, aim: 4 },
  { way: 'draft, larger file in a blob', kind: 'draft', bytes: 9_000_000, aim: 1.1, isInBlob: true },
];

/** Counts what the app copies of the file of an email, in each way that an email goes to Graph. */
export const measureCopies = async (
  appFolder: string,
  { cloud, storage }: { readonly cloud: BenchCloud; readonly storage: BenchStorage },
): Promise<readonly Copies[]> => {
  await cloud.delay(0);
  const relay = await startRelay(appFolder, cloud, storage, SETTINGS, {
    nodeOptions: [`--import=${COUNT_COPIES}`],
  });
  try {
    const found: Copies[] = [];
    for (const [index, way] of WAYS.entries()) {
      if (way.isInBlob) await upload(storage.connectionString, way.bytes);
      // The same email without its file, whose other texts are copied too.
      const without = await copiedOf(relay, mailOf(way, index, []));
      const mail = mailOf(way, index, [attachmentOf(way)]);
      await requireKind(relay, mail, way);
      found.push({
        way: way.way,
        bytes: way.bytes,
        aim: way.aim,
        perByte: ((await copiedOf(relay, mail)) - without) / way.bytes,
      });
    }
    return found;
  } finally {
    await relay.close();
  }
};

const upload = async (connectionString: string, bytes: number): Promise<void> => {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(CONTAINER);
  await container.createIfNotExists();
  await container.getBlockBlobClient(BLOB).uploadData(Buffer.alloc(bytes, CONTENT));
};

const attachmentOf = ({ isInBlob, bytes }: Way): object =>
  isInBlob
    ? { blob: BLOB }
    : { filename: 'statement.pdf', content: Buffer.alloc(bytes, CONTENT).toString('base64') };

const mailOf = ({ fields }: Way, index: number, attachments: readonly object[]): string =>
  JSON.stringify({ ...sampleMail(mailboxOf(index)), ...fields, attachments });

const copiedOf = async (relay: RelayUnderLoad, mail: string): Promise<number> => {
  let before = 0;
  for (let time = 0; time < TIMES; time += 1) {
    before = await relay.readCopied();
    const { status, text } = await relay.postBody(mail);
    if (status !== 200) throw new Error(`POST /api/mail returned ${status} instead of 200: ${text}`);
  }
  return (await relay.readCopied()) - before;
};

/** A figure of another way would be worse than none. */
const requireKind = async (relay: RelayUnderLoad, mail: string, { way, kind }: Way): Promise<void> => {
  const { status, text } = await relay.postBody(mail, '?dryRun=true');
  if (status !== 200) throw new Error(`A dry run returned ${status} instead of 200: ${text}`);
  const planned = (JSON.parse(text) as { readonly plan?: { readonly kind?: string } }).plan?.kind;
  if (planned !== kind)
    throw new Error(`${way}: expected an email that goes as ${kind}, received ${planned}.`);
};
