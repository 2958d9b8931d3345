import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { BenchCloud, BenchStorage } from './cloud.ts';
import { forEachMailbox } from './held-memory.ts';
import { JSON_HEADERS } from './host.ts';
import type { RawAnswer } from './keep-alive-client.ts';
import { startRelay } from './relay-under-load.ts';
import { largeMail } from './sample-mail.ts';

/** How much memory an instance has, and how much of it the heap. */
export type InstanceSize = { readonly memoryBytes: number; readonly maxHeapMb: number };

/** The app cannot have all of it. */
export const SMALL_INSTANCE: InstanceSize = { memoryBytes: 512 * 1024 ** 2, maxHeapMb: 256 };
/** What Flex Consumption gives by default. */
export const DEFAULT_INSTANCE: InstanceSize = { memoryBytes: 2048 * 1024 ** 2, maxHeapMb: 1024 };

/** Lets the app see the memory of the instance and not that of this machine. */
const withMemory = ({ memoryBytes, maxHeapMb }: InstanceSize): readonly string[] => [
  `--max-old-space-size=${maxHeapMb}`,
  `--import=data:text/javascript,process.constrainedMemory=()=>${memoryBytes}`,
];

/** So that all are held together. */
const GRAPH_TAKES_MS = 1500;

export type LargeEmails = {
  readonly emails: number;
  readonly bytes: number;
  readonly settings: Readonly<Record<string, string>>;
};

export type FilledInstance = {
  /** Undefined where there was none. */
  readonly answers: readonly (RawAnswer | undefined)[];
  readonly isAlive: boolean;
  /** The most that was resident, functions host included; unknown of a process that has ended. */
  readonly peakBytes: number;
};

/** An email is answered when it was sent or accepted, or refused with the time after which to send it again, or as too large. */
export const isAnswered = (answer: FilledInstance['answers'][number]): boolean =>
  answer?.status === 200 ||
  answer?.status === 202 ||
  answer?.status === 413 ||
  (answer?.status === 503 && answer.headers['retry-after'] !== undefined);

/** Sends large emails together to one relay with the memory of an instance. They are streamed, so that only the relay holds them. */
export const fillInstance = async (
  appFolder: string,
  { cloud, storage }: { readonly cloud: BenchCloud; readonly storage: BenchStorage },
  size: InstanceSize,
  { emails, bytes, settings }: LargeEmails,
): Promise<FilledInstance> => {
  const relay = await startRelay(appFolder, cloud, storage, settings, { nodeOptions: withMemory(size) });
  try {
    await cloud.delay(GRAPH_TAKES_MS);
    const answers = await Promise.all(
      forEachMailbox(emails, (mailbox) => largeMail(mailbox, 'Statement', bytes)).map((email) =>
        postInChunks(relay.url, email).catch(() => undefined),
      ),
    );
    const isAlive = await relay.client.send('GET', '/api/health').then(
      ({ status }) => status === 200,
      () => false,
    );
    return { answers, isAlive, peakBytes: isAlive ? (await relay.readUse()).peakBytes : Number.NaN };
  } finally {
    await relay.close();
    await cloud.delay(0);
  }
};

const CHUNK_BYTES = 1_000_000;

/** Without a length, so that the functions host streams it. An answer that comes before the end is an answer. */
const postInChunks = (origin: string, body: Uint8Array): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const call = request(`${origin}/api/mail`, { method: 'POST', headers: JSON_HEADERS });
    call.once('response', async (response) => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, text: await text(response).catch(() => '') });
      call.destroy();
    });
    call.once('error', reject);
    Readable.from(piecesOf(body)).pipe(call);
  });

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += CHUNK_BYTES) yield body.subarray(at, at + CHUNK_BYTES);
}
