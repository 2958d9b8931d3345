import type { VirtualTime } from '../lanes/virtual-time.ts';

export type Message = {
  readonly id: string;
  text: string;
  readonly insertedAt: number;
  dequeueCount: number;
  isGone: boolean;
};

/** https://learn.microsoft.com/rest/api/storageservices/put-message */
const MOST_BYTES = 65_536;
const LONGEST_MS = 7 * 86_400_000;

/** A storage queue in moved time: at least once, hidden by whole seconds, in the order in which messages become visible. */
export const makeQueue = (time: VirtualTime, name: string) => {
  const ready: (Message | undefined)[] = [];
  let first = 0;
  let size = 0;
  let made = 0;

  const show = (message: Message): void => {
    if (!message.isGone) ready.push(message);
  };
  const hide = (message: Message, ms: number): void => {
    const wholeMs = Math.ceil(Math.max(0, ms) / 1000) * 1000;
    if (wholeMs === 0) show(message);
    else time.at(time.now() + wholeMs, () => show(message));
  };
  const add = (message: Message, hiddenMs: number): void => {
    size += 1;
    hide(message, hiddenMs);
  };
  return {
    newId: (): string => {
      made += 1;
      return `${name}-${made}`;
    },
    put: (text: string, hiddenMs: number, id: string): void => {
      if (text.length > MOST_BYTES) throw new Error('a queue message has at most 64 KiB');
      if (hiddenMs > LONGEST_MS) throw new Error('a queue message is hidden for seven days at most');
      add({ id, text, insertedAt: time.now(), dequeueCount: 0, isGone: false }, hiddenMs);
    },
    /** Up to so many, which nobody else gets until they are shown again. */
    take: (most: number): readonly Message[] => {
      const taken: Message[] = [];
      while (taken.length < most && first < ready.length) {
        const message = ready[first];
        ready[first] = undefined;
        first += 1;
        if (message === undefined || message.isGone) continue;
        message.dequeueCount += 1;
        taken.push(message);
      }
      if (first > 4096 && first * 2 > ready.length) {
        ready.splice(0, first);
        first = 0;
      }
      return taken;
    },
    /** Shows it again after so long. */
    giveBack: (message: Message, afterMs: number): void => hide(message, afterMs),
    /** The same message a second time, as storage can give it. */
    giveTwice: (message: Message, afterMs: number): void => add({ ...message }, afterMs),
    remove: (message: Message): void => {
      if (message.isGone) return;
      message.isGone = true;
      message.text = '';
      size -= 1;
    },
    size: (): number => size,
  };
};

export type Queue = ReturnType<typeof makeQueue>;
