import type { BenchCloud, BenchStorage } from './cloud.ts';
import type { RawAnswer } from './keep-alive-client.ts';
import { startRelay } from './relay-under-load.ts';
import { largeMail, mailboxOf } from './sample-mail.ts';

/** An instance of 512 MB, of which the app cannot have all. */
export const SMALL_INSTANCE_BYTES = 512 * 1024 ** 2;
const MAX_HEAP_MB = 256;
/** So that all are held together. */
const GRAPH_TAKES_MS = 1500;

export type SmallInstance = {
  readonly answers: readonly RawAnswer[];
  readonly isAlive: boolean;
  /** The most that was resident, functions host included. */
  readonly peakBytes: number;
};

/** An email is answered when it was sent or accepted, or refused with the time after which to send it again. */
export const isAnswered = ({ status, headers }: RawAnswer): boolean =>
  status === 200 || status === 202 || (status === 503 && headers['retry-after'] !== undefined);

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
      Array.from({ length: emails }, (_, index) =>
        relay.postBody(largeMail(mailboxOf(index), 'Statement', bytes)),
      ),
    );
    const isAlive = relay.isAlive();
    return { answers, isAlive, peakBytes: (await relay.readUse()).peakBytes };
  } finally {
    await relay.close();
  }
};
