import { messageOf } from '../message-of.ts';
import type { Clock } from './clock.ts';
import type { QueueOptions } from './host-json.ts';
import type { HostLog } from './host-log.ts';
import { decodeMessage } from './message-encoding.ts';
import type { QueueMessage, TriggerQueue } from './trigger-queue.ts';

const PROCESSOR = 'Microsoft.Azure.WebJobs.Host.Queues.QueueProcessor';
// Fixed in the extension's QueueListener; host.json's visibilityTimeout is something else.
export const DEFAULT_LEASE_SECONDS = 600;
// A queue name has at most 63 characters; the extension leaves a name without poison queue when it would grow beyond.
const LONGEST_QUEUE_NAME = 63;
const POISON_SUFFIX = '-poison';

export type MessageDependencies = {
  readonly queue: TriggerQueue;
  /** Undefined for a queue that is itself a poison queue. */
  readonly poisonQueue: TriggerQueue | undefined;
  readonly options: QueueOptions;
  /** How long a received message is hidden; renewed at half time. */
  readonly leaseSeconds: number;
  readonly clock: Clock;
  readonly log: HostLog;
  /** Resolves to whether the function succeeded. */
  readonly run: (message: QueueMessage, text: string) => Promise<boolean>;
  /** Called when a message was put on the poison queue. */
  readonly onPoison: (queueName: string) => void;
};

/** The queue for messages that failed too often; undefined where a queue has none. */
export const poisonQueueName = (queueName: string): string | undefined => {
  const name = `${queueName}${POISON_SUFFIX}`;
  return queueName.endsWith(POISON_SUFFIX) || name.length > LONGEST_QUEUE_NAME ? undefined : name;
};

/** One received message to its end: run, then deleted, released or moved to the poison queue. */
export const processMessage = async (
  dependencies: MessageDependencies,
  message: QueueMessage,
): Promise<void> => {
  const { queue, poisonQueue, options, log } = dependencies;
  if (message.dequeueCount > options.maxDequeueCount) return moveToPoison(dependencies, message);

  const text = decodeMessage(message.messageText, options.messageEncoding);
  // Once for a message, and not for each time it comes back.
  if (text === undefined && message.dequeueCount === 1)
    log(
      'warning',
      PROCESSOR,
      `Message '${message.messageId}' in queue '${queue.name}' is not base64, which messageEncoding "${options.messageEncoding}" expects: the function was not called.`,
    );
  if (text !== undefined && (await runUnderLease(dependencies, message, text))) {
    const outcome = await queue.delete(message);
    if (outcome === 'gone')
      log(
        'debug',
        PROCESSOR,
        `Unable to delete queue message '${message.messageId}': it is gone, or its pop receipt did not match. The function may have modified the message.`,
      );
    return;
  }
  // Without a poison queue the message stays hidden for the rest of its lease, so that it does not come back at once.
  if (!poisonQueue) return;
  if (message.dequeueCount >= options.maxDequeueCount) return moveToPoison(dependencies, message);
  await queue.hide(message, Math.floor(options.visibilityTimeoutMs / 1000));
};

const moveToPoison = async (
  { queue, poisonQueue, options, log, onPoison }: MessageDependencies,
  message: QueueMessage,
) => {
  if (!poisonQueue) return;
  log(
    'warning',
    PROCESSOR,
    `Message has reached MaxDequeueCount of ${options.maxDequeueCount}. Moving message to queue '${poisonQueue.name}'.`,
  );
  await poisonQueue.add(message.messageText);
  onPoison(poisonQueue.name);
  await queue.delete(message);
};

/** Renews the lease at half time for as long as the function runs. */
const runUnderLease = async (
  { queue, leaseSeconds, clock, log, run }: MessageDependencies,
  message: QueueMessage,
  text: string,
): Promise<boolean> => {
  let callOff: () => void;
  let renewing: Promise<void> = Promise.resolve();
  let ended = false;
  const renewLater = () => {
    callOff = clock.after((leaseSeconds / 2) * 1000, () => {
      renewing = renew();
    });
  };
  const renew = async () => {
    try {
      if ((await queue.hide(message, leaseSeconds)) === 'gone') return;
    } catch (error) {
      log(
        'warning',
        PROCESSOR,
        `The lease of message '${message.messageId}' could not be renewed: ${messageOf(error)}`,
      );
    }
    if (!ended) renewLater();
  };
  renewLater();
  try {
    return await run(message, text);
  } finally {
    ended = true;
    callOff!();
    await renewing;
  }
};
