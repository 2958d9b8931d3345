import { messageOf } from '../message-of.ts';
import type { InFlight } from './in-flight.ts';
import { makePollingBackOff } from './polling-back-off.ts';
import { type MessageDependencies, processMessage } from './process-message.ts';

const LISTENER = 'Microsoft.Azure.WebJobs.Host.Queues.QueueListener';

export type QueueListener = {
  readonly queueName: string;
  /** Looks at once instead of after its pause. */
  readonly wake: () => void;
  /** Takes no more messages; those that run go on. */
  readonly stop: () => Promise<void>;
};

export type ListenerDependencies = MessageDependencies & {
  readonly inFlight: InFlight;
  readonly random: () => number;
};

/** Polls for as long as it is not stopped. Storage that fails is waited for, never the end of the host. */
export const startQueueListener = (dependencies: ListenerDependencies): QueueListener => {
  const { queue, options, leaseSeconds, clock, log, inFlight, random } = dependencies;
  const nextPause = makePollingBackOff(options.maxPollingIntervalMs, random);
  const processing = new Set<Promise<void>>();
  let stopped = false;
  let queueExists = false;
  let failing = false;
  let foundSincePause = false;
  let endPause = () => {};
  let noticeEnd = () => {};

  const oneMessageEnded = () =>
    new Promise<void>((resolve) => {
      noticeEnd = resolve;
    });

  const pause = () =>
    new Promise<void>((resolve) => {
      const callOff = clock.after(nextPause(foundSincePause), resolve);
      foundSincePause = false;
      endPause = () => {
        callOff();
        resolve();
      };
    });

  const start = (work: Promise<void>) => {
    const guarded = work
      .catch((error: unknown) =>
        log(
          'error',
          LISTENER,
          `A message of queue '${queue.name}' could not be completed and will come back: ${messageOf(error)}`,
        ),
      )
      .finally(() => {
        processing.delete(guarded);
        noticeEnd();
      });
    processing.add(guarded);
    void inFlight.track(guarded);
  };

  const poll = async (): Promise<boolean> => {
    queueExists ||= await queue.exists();
    if (!queueExists) return false;
    const messages = await queue.receive(options.batchSize, leaseSeconds);
    if (!messages) queueExists = false;
    for (const message of messages ?? []) start(processMessage(dependencies, message));
    return (messages ?? []).length > 0;
  };

  const pollOrComplain = async (): Promise<boolean> => {
    try {
      const found = await poll();
      if (failing) log('information', LISTENER, `Queue '${queue.name}' can be read again.`);
      failing = false;
      return found;
    } catch (error) {
      queueExists = false;
      // Once per outage: a queue that is polled every other second would fill the log.
      if (!failing)
        log('warning', LISTENER, `Queue '${queue.name}' cannot be read; trying again: ${messageOf(error)}`);
      failing = true;
      return false;
    }
  };

  const loop = async () => {
    while (!stopped) {
      if (!(await pollOrComplain())) {
        if (!stopped) await pause();
        continue;
      }
      foundSincePause = true;
      while (processing.size > options.newBatchThreshold && !stopped) await oneMessageEnded();
    }
  };

  const ended = loop();

  return {
    queueName: queue.name,
    wake: () => endPause(),
    stop: async () => {
      stopped = true;
      noticeEnd();
      endPause();
      await ended;
    },
  };
};
