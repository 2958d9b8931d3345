import type { BenchCloud, BenchStorage } from './cloud.ts';
import { forEachMailbox } from './held-memory.ts';
import type { RawAnswer } from './keep-alive-client.ts';
import { startRelay } from './relay-under-load.ts';
import { largeMail } from './sample-mail.ts';

/** An instance of 512 MB, of which the app cannot have all. */
export const SMALL_INSTANCE_BYTES = 512 * 1024 ** 2;
const MAX_HEAP_MB = 256;
/** So that all are held together. */
const GRAPH_TAKES_MS = 1500;

export type SmallInstance = {
  /** Undefined where there was none. */
  readonly answers: readonly (RawAnswer | undefined)[];
  readonly isAlive: boolean;
  /** The most that was resident, functions host included; unknown of a process that has ended. */
  readonly peakBytes: number;
};

/** An email is answered when it was sent or accepted, or refused with the time after which to send it again. */
export const isAnswered = (answer: SmallInstance['answers'][number]): boolean =>
  answer?.status === 200 ||
  answer?.status === 202 ||
  (answer?.status === 503 && answer.headers['retry-after'] !== undefined);

/** Sends large emails together to one relay with the memory of a small instance. */
export const fillSmallInstance = async (
  appFolder: string,
  { cloud, storage }: { readonly cloud: BenchCloud; readonly storage: BenchStorage },
  { emails, bytes }: { readonly emails: number; readonly bytes: number },
): Promise<SmallInstance> => {
  const relay = await startRelay(
    appFolder,
    cloud,
    storage,
    {},
    {
      nodeOptions: [`--max-old-space-size=${MAX_HEAP_MB}`],
    },
  );
  try {
    await cloud.delay(GRAPH_TAKES_MS);
    const answers = await Promise.all(
      forEachMailbox(emails, (mailbox) => largeMail(mailbox, 'Statement', bytes)).map((email) =>
        relay.postBody(email).catch(() => undefined),
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
