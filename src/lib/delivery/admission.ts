import { MAX_REQUEST_BYTES } from '../sending/send-plan.ts';

/** Room for the content of one email; it is given back once. */
export type Room = {
  /** Takes room for content of so many bytes in all; false where there is none, and then nothing more was taken. */
  readonly grow: (bytes: number) => boolean;
  /** The same for so many bytes more. */
  readonly add: (bytes: number) => boolean;
  readonly close: () => void;
};

export type Admission = {
  readonly open: () => Room;
  /** Waits, in turn, until there is room for content of so many bytes; undefined where `patience` ends before. */
  readonly enter: (bytes: number, patience: () => Promise<unknown>) => Promise<Room | undefined>;
};

/** What is smaller costs no more than the request that brings it, and always has room. */
const FREE_BYTES = 64_000;

/** The functions host and Node need the rest. */
const PART_OF_MEMORY = 3 / 16;

/** How many bytes an instance with so much memory can hold for emails. */
export const admissibleBytes = (memoryBytes: number): number => Math.floor(memoryBytes * PART_OF_MEMORY);

/**
 * What is held for content of so many bytes: the bytes as they were received, the request to Graph that is made of them,
 * and that request encrypted. A request, or a part of an upload, is never larger than Graph accepts.
 */
export const heldFor = (bytes: number): number => bytes + 2 * Math.min(bytes, MAX_REQUEST_BYTES);

/**
 * Keeps what is held for emails within so many bytes, in this process: an instance that runs out of memory ends
 * with every email in flight. One email alone always has room, however small the instance. `heldOf` says what is held for
 * content of so many bytes.
 */
export const makeAdmission = (mostBytes: number, heldOf = (bytes: number): number => bytes): Admission => {
  let taken = 0;
  type Waiter = { readonly bytes: number; readonly admit: (room: Room | undefined) => void };
  const waiting: Waiter[] = [];

  const open = (): Room => {
    let content = 0;
    let own = 0;
    const grow = (bytes: number): boolean => {
      const more = bytes <= FREE_BYTES ? 0 : heldOf(bytes) - own;
      const others = taken - own;
      if (more > 0 && others > 0 && taken + more > mostBytes) return false;
      content = Math.max(content, bytes);
      taken += Math.max(0, more);
      own += Math.max(0, more);
      return true;
    };
    return {
      grow,
      add: (bytes) => grow(content + bytes),
      close: () => {
        taken -= own;
        own = 0;
        content = 0;
        admitNext();
      },
    };
  };
  const admitNext = (): void => {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const room = open();
      if (!room.grow(next.bytes)) return;
      waiting.shift();
      next.admit(room);
    }
  };
  return {
    open,
    enter: (bytes, patience) =>
      new Promise((admit) => {
        const waiter = { bytes, admit };
        waiting.push(waiter);
        admitNext();
        if (!waiting.includes(waiter)) return;
        void patience().then(() => {
          const place = waiting.indexOf(waiter);
          if (place === -1) return;
          waiting.splice(place, 1);
          admit(undefined);
          // It may have been the one too large for what there is.
          admitNext();
        });
      }),
  };
};
