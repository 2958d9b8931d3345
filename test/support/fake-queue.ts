/** A message as a listener holds it: only the receipt of the latest lease moves it. */
export type LeasedMessage = {
  readonly id: string;
  readonly text: string;
  readonly dequeueCount: number;
  readonly insertedAt: Date;
};

export type FakeQueue = {
  /** Gives the id of the message. */
  put(text: string, delayMs: number, now: Date): string;
  /** The oldest message that may be seen, hidden from then on for the time of the lease. */
  receive(leaseMs: number, now: Date): LeasedMessage | undefined;
  /** Hides a message for so long from now on. */
  hide(id: string, forMs: number, now: Date): void;
  delete(id: string): void;
  readonly size: () => number;
  /** When the next message may be seen. */
  readonly nextVisibleAt: () => Date | undefined;
};

/** https://learn.microsoft.com/rest/api/storageservices/put-message */
const MAX_TEXT_BYTES = 65_536;
const MAX_DELAY_MS = 7 * 86_400_000;

type Message = { readonly text: string; readonly insertedAt: Date; dequeueCount: number; visibleAt: number };

/** A storage queue in memory: at least once, with leases and delays, by the time that is passed in. */
export const makeFakeQueue = (newId: () => string): FakeQueue => {
  const messages = new Map<string, Message>();
  return {
    put: (text, delayMs, now) => {
      if (Buffer.byteLength(text) > MAX_TEXT_BYTES) throw new Error('a queue message has at most 64 KiB');
      if (delayMs > MAX_DELAY_MS) throw new Error('a queue message is hidden for seven days at most');
      // The service counts in seconds.
      const visibleAt = now.getTime() + Math.ceil(delayMs / 1000) * 1000;
      const id = newId();
      messages.set(id, { text, insertedAt: now, dequeueCount: 0, visibleAt });
      return id;
    },
    receive: (leaseMs, now) => {
      for (const [id, message] of messages) {
        if (message.visibleAt > now.getTime()) continue;
        message.visibleAt = now.getTime() + leaseMs;
        message.dequeueCount += 1;
        const { text, dequeueCount, insertedAt } = message;
        return { id, text, dequeueCount, insertedAt };
      }
      return undefined;
    },
    hide: (id, forMs, now) => {
      const message = messages.get(id);
      if (message !== undefined) message.visibleAt = now.getTime() + forMs;
    },
    delete: (id) => void messages.delete(id),
    size: () => messages.size,
    nextVisibleAt: () => {
      const times = [...messages.values()].map(({ visibleAt }) => visibleAt);
      return times.length === 0 ? undefined : new Date(Math.min(...times));
    },
  };
};
