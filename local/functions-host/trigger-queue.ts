import { type DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';

export type QueueMessage = Omit<DequeuedMessageItem, 'popReceipt'> & { popReceipt: string };

/** `gone`: the message is deleted, or someone else holds it now. */
type Outcome = 'done' | 'gone';

/** What a listener needs of a queue. Storage errors other than `gone` are thrown. */
export type TriggerQueue = {
  readonly name: string;
  readonly exists: () => Promise<boolean>;
  /** Undefined when the queue is gone. */
  readonly receive: (count: number, leaseSeconds: number) => Promise<QueueMessage[] | undefined>;
  /** Hides the message for so long from now on, and keeps its new pop receipt. */
  readonly hide: (message: QueueMessage, seconds: number) => Promise<Outcome>;
  readonly delete: (message: QueueMessage) => Promise<Outcome>;
  /** Creates the queue when it is missing. */
  readonly add: (text: string) => Promise<void>;
};

// The listener has its own back-off, so the client retries only what a moment may heal.
const RETRIES = { maxTries: 3, tryTimeoutInMs: 10_000, retryDelayInMs: 100, maxRetryDelayInMs: 1_000 };

/** A queue of Azure Storage; it need not exist yet. */
export const connectQueue = (connectionString: string, name: string): TriggerQueue => {
  const client = new QueueClient(connectionString, name, { retryOptions: RETRIES });
  return {
    name,
    exists: () => client.exists(),
    receive: async (numberOfMessages, visibilityTimeout) => {
      try {
        const { receivedMessageItems } = await client.receiveMessages({
          numberOfMessages,
          visibilityTimeout,
        });
        return receivedMessageItems;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    hide: async (message, seconds) =>
      orGone(async () => {
        const { popReceipt } = await client.updateMessage(
          message.messageId,
          message.popReceipt,
          undefined,
          seconds,
        );
        if (popReceipt !== undefined) message.popReceipt = popReceipt;
      }),
    delete: (message) => orGone(() => client.deleteMessage(message.messageId, message.popReceipt)),
    add: async (text) => {
      try {
        await client.sendMessage(text);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        await client.createIfNotExists();
        await client.sendMessage(text);
      }
    },
  };
};

const orGone = async (act: () => Promise<unknown>): Promise<Outcome> => {
  try {
    await act();
    return 'done';
  } catch (error) {
    if (isNotFound(error) || (error instanceof RestError && error.code === 'PopReceiptMismatch'))
      return 'gone';
    throw error;
  }
};

const isNotFound = (error: unknown) => error instanceof RestError && error.statusCode === 404;
