import { saveMap } from './save.ts';

/** A message as a listener holds it: only the receipt of the latest lease moves it. */
export type LeasedMessage = {
  readonly id: string;
  /** By which this copy of it is hidden and deleted. */
  readonly receipt: string;
  readonly text: string;
  readonly dequeueCount: number;
  readonly insertedAt: Date;
};

export type FakeQueue = {
  /** Gives the id of the message. */
  put(text: string, delayMs: number, now: Date): string;
  /** The oldest message that may be seen, or the one that is named, hidden from then on for the time of the lease. */
  receive(leaseMs: number, now: Date, which?: string): LeasedMessage | undefined;
  /** One more copy of a message, as of one whose lease is lost while it is worked on: with its id, and a lease of its own. */
  copy(receipt: string): void;
  /** Hides a message for so long from now on. */
  hide(receipt: string, forMs: number, now: Date): void;
  delete(receipt: string): void;
  readonly save: () => () => void;
  readonly size: () => number;
  /** By which those that may be seen can be named. */
  readonly visible: (now: Date) => readonly string[];
  /** Everything on it, in no order that means anything. */
  readonly messages: () => readonly (QueuedMessage & { readonly receipt: string })[];
  /** When the next message may be seen. */
  readonly nextVisibleAt: () => Date | undefined;
};

/** https://learn.microsoft.com/rest/api/storageservices/put-message */
const MAX_TEXT_BYTES = 65_536;
const MAX_DELAY_MS = 7 * 86_400_000;

type QueuedMessage = {
  readonly id: string;
  readonly text: string;
  readonly insertedAt: Date;
  readonly dequeueCount: number;
  readonly visibleAt: number;
};

/** A storage queue in memory: at least once, with leases and delays, by the time that is passed in. */
export const makeFakeQueue = (newId: (text: string) => string): FakeQueue => {
  const messages = new Map<string, QueuedMessage>();
  return {
    put: (text, delayMs, now) => {
      if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw new Error('a queue message has at most 64 KiB');
      if (delayMs > MAX_DELAY_MS) throw new Error('a queue message is hidden for seven days at most');
      // The service counts in seconds.
      const visibleAt = now.getTime() + Math.ceil(delayMs / 1000) * 1000;
      const id = newId(text);
      messages.set(id, { id, text, insertedAt: now, dequeueCount: 0, visibleAt });
      return id;
    },
    receive: (leaseMs, now, which) => {
      for (const [receipt, message] of messages) {
        if (message.visibleAt > now.getTime() || (which !== undefined && which !== receipt)) continue;
        const { id, text, insertedAt } = message;
        const dequeueCount = message.dequeueCount + 1;
        messages.set(receipt, { ...message, dequeueCount, visibleAt: now.getTime() + leaseMs });
        return { id, receipt, text, dequeueCount, insertedAt };
      }
      return undefined;
    },
    copy: (receipt) => {
      const message = messages.get(receipt);
      if (message !== undefined) messages.set(`${receipt} again`, { ...message });
    },
    hide: (receipt, forMs, now) => {
      const message = messages.get(receipt);
      if (message !== undefined) messages.set(receipt, { ...message, visibleAt: now.getTime() + forMs });
    },
    delete: (receipt) => void messages.delete(receipt),
    save: () => saveMap(messages),
    size: () => messages.size,
    visible: (now) =>
      [...messages].flatMap(([receipt, { visibleAt }]) => (visibleAt > now.getTime() ? [] : [receipt])),
    messages: () => [...messages].map(([receipt, message]) => ({ receipt, ...message })),
    nextVisibleAt: () => {
      const times = [...messages.values()].map(({ visibleAt }) => visibleAt);
      return times.length === 0 ? undefined : new Date(Math.min(...times));
    },
  };
};
