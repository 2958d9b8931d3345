import { readConnection, resolveExpression } from './app-settings.ts';
import type { QueueTrigger } from './function-info.ts';
import type { BackgroundTrigger, HostedFunction, HostParts } from './host-parts.ts';
import { poisonQueueName } from './process-message.ts';
import { type QueueListener, startQueueListener } from './queue-listener.ts';
import { type TriggerMessage, toTriggerMetadata } from './queue-trigger-metadata.ts';
import { connectQueue } from './trigger-queue.ts';

const ADMIN_REASON = 'This function was programmatically called via the host APIs.';

/** Checks the bindings of a queue trigger. Throws where a setting is missing. */
export const prepareQueueTrigger = (
  { fn, triggerName }: HostedFunction,
  trigger: QueueTrigger,
  parts: HostParts,
): BackgroundTrigger => {
  const { name } = fn.metadata;
  const { settings, queueOptions, clock, invoke } = parts;
  const where = `Function "${name}"`;
  const queueName = resolveExpression(trigger.queueName, settings, where);
  const poisonName = poisonQueueName(queueName);
  const connectionString = readConnection(trigger.connection, settings, where);
  const queue = connectQueue(connectionString, queueName);
  const poisonQueue = poisonName === undefined ? undefined : connectQueue(connectionString, poisonName);
  let listener: QueueListener | undefined;

  const run = (message: TriggerMessage, reason: string) =>
    invoke(
      fn,
      {
        inputData: [{ name: triggerName, data: { string: message.text } }],
        triggerMetadata: toTriggerMetadata(message),
      },
      reason,
    );

  return {
    queueName,
    start: () => {
      listener = startQueueListener({
        ...parts,
        options: queueOptions,
        queue,
        poisonQueue,
        onPoison: parts.wakeQueue,
        run: async (message, text) => {
          const reason = `New queue message detected on '${queueName}'.`;
          const { succeeded } = await run({ ...message, id: message.messageId, text }, reason);
          return succeeded;
        },
      });
    },
    wake: () => listener?.wake(),
    stop: async () => listener?.stop(),
    runNow: (input) => run(messageFromAdmin(input, clock.now()), ADMIN_REASON),
  };
};

const SEVEN_DAYS_MS = 7 * 86_400_000;

/** There is no message behind it: no id, and nothing to delete. */
const messageFromAdmin = (text: string, now: Date): TriggerMessage => ({
  text,
  dequeueCount: 0,
  insertedOn: now,
  expiresOn: new Date(now.getTime() + SEVEN_DAYS_MS),
  nextVisibleOn: now,
});
