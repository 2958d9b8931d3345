import { setTimeout as wait } from 'node:timers/promises';
import type { RawEmail } from './raw-email.ts';
import type { RawMessage } from './raw-storage.ts';

export type Draining = {
  readonly queue: string;
  readonly count: number;
  /** As many messages at a time as the host asks for. */
  readonly batch: number;
  /** As many emails simultaneously as the relay sends. */
  readonly concurrency: number;
};

/** Ten minutes, as the host has it: no message comes back while it is processed. */
const LEASE_SECONDS = 600;
const LOOK_AGAIN_MS = 100;

/**
 * Takes messages from a queue as the functions host does, sends each as a raw email, and deletes it. Gives when each email
 * was done. The next batch is fetched when no received message waits any longer. After a failure no further email begins.
 */
export const drainRaw = async (
  raw: RawEmail,
  { queue, count, batch, concurrency }: Draining,
): Promise<readonly number[]> => {
  const doneAt: number[] = [];
  const waiting: RawMessage[] = [];
  let fetching: Promise<void> | undefined;

  const fetchMore = async (): Promise<void> => {
    const received = await raw.storage.receiveMessages(queue, batch, LEASE_SECONDS);
    waiting.push(...received);
    if (received.length === 0) await wait(LOOK_AGAIN_MS);
  };
  let isOver = false;
  const worker = async (): Promise<void> => {
    while (doneAt.length < count && !isOver) {
      const message = waiting.shift();
      if (message === undefined) {
        fetching ??= fetchMore().finally(() => {
          fetching = undefined;
        });
        await fetching;
        continue;
      }
      const { from } = JSON.parse(message.text) as { from: string };
      await raw.send(from);
      doneAt.push(performance.now());
      await raw.storage.deleteMessage(queue, message);
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: concurrency }, () =>
      worker().catch((failure: unknown) => {
        isOver = true;
        throw failure;
      }),
    ),
  );
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return doneAt;
};
