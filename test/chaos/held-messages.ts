import { QueueServiceClient } from '@azure/storage-queue';
import { TIMES } from './scaled-times.ts';

/** A request to storage and its answer, as seen on the wire. */
export type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly popReceipt: string | undefined;
  readonly content: string;
};

type HeldMessage = { readonly queue: string; readonly popReceipt: string };

/** The queue messages that one functions host has received and not given back. */
export type HeldMessages = {
  readonly see: (exchange: Exchange) => void;
  readonly count: () => number;
  /** Does what a host does whose worker has died: every message comes back soon, and not when its lease ends. */
  readonly release: () => Promise<void>;
};

const MESSAGE = /<QueueMessage>.*?<\/QueueMessage>/gs;
const textOf = (xml: string, name: string): string =>
  new RegExp(`<${name}>(.*?)</${name}>`).exec(xml)?.[1] ?? '';

/** The ids and receipts in an answer of a queue. */
export const readMessages = (
  content: string,
): readonly { readonly id: string; readonly popReceipt: string }[] =>
  (content.match(MESSAGE) ?? []).map((xml) => ({
    id: textOf(xml, 'MessageId'),
    popReceipt: textOf(xml, 'PopReceipt'),
  }));

const PLACE = /^\/[^/]+\/([^/]+)\/messages(?:\/([^?]+))?(?:\?(.*))?$/;

/** Which queue, and which of its messages, a path is about. */
export const readQueuePath = (path: string) => {
  const found = PLACE.exec(path);
  if (found === null) return undefined;
  return {
    queue: found[1] ?? '',
    ...(found[2] === undefined ? {} : { id: decodeURIComponent(found[2]) }),
    query: new URLSearchParams(found[3] ?? ''),
  };
};

/** Holds nothing at first. */
export const makeHeldMessages = (connectionString: string): HeldMessages => {
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const held = new Map<string, HeldMessage>();

  return {
    see: ({ method, path, status, popReceipt, content }) => {
      const place = readQueuePath(path);
      if (place === undefined || status >= 300) return;
      const { queue, id, query } = place;
      if (method === 'GET' && id === undefined && query.get('peekonly') !== 'true')
        for (const message of readMessages(content)) held.set(message.id, { queue, ...message });
      if (id === undefined) return;
      // A lease is renewed, or the message is given back.
      const isRenewed = method === 'PUT' && Number(query.get('visibilitytimeout')) >= TIMES.lease.run;
      if (isRenewed && popReceipt !== undefined) held.set(id, { queue, popReceipt });
      else if (method === 'DELETE' || method === 'PUT') held.delete(id);
    },
    count: () => held.size,
    release: async () => {
      const all = [...held];
      held.clear();
      await Promise.all(
        all.map(([id, { queue, popReceipt }]) =>
          queues
            .getQueueClient(queue)
            .updateMessage(id, popReceipt, undefined, TIMES.released.run)
            // It was deleted or received by another host in the meantime.
            .catch(() => undefined),
        ),
      );
    },
  };
};
