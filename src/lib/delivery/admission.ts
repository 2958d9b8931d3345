/** Room for the content of one email; it is given back once. */
export type Room = {
  /** Takes room for so many bytes in all; false where there is none, and then nothing more was taken. */
  readonly grow: (bytes: number) => boolean;
  readonly close: () => void;
};

export type Admission = {
  readonly open: () => Room;
  /** Waits, in turn, until there is room for so many bytes. */
  readonly enter: (bytes: number) => Promise<Room>;
};

/** What is smaller costs no more than the request that brings it, and always has room. */
const FREE_BYTES = 64_000;

/** While Graph answers an email is held about three times; the functions host and Node need the rest. */
const PART_OF_MEMORY = 1 / 16;

/** How many bytes of content an instance with so much memory can work on. */
export const admissibleBytes = (memoryBytes: number): number => Math.floor(memoryBytes * PART_OF_MEMORY);

/**
 * Keeps the contents that are worked on within so many bytes, in this process: an instance that runs out of memory ends
 * with every email in flight. One email alone always has room, however small the instance.
 */
export const makeAdmission = (mostBytes: number): Admission => {
  let taken = 0;
  const waiting: { readonly bytes: number; readonly admit: (room: Room) => void }[] = [];

  const open = (): Room => {
    let own = 0;
    return {
      grow: (bytes) => {
        const more = bytes <= FREE_BYTES ? 0 : bytes - own;
        const others = taken - own;
        if (more <= 0) return true;
        if (others > 0 && taken + more > mostBytes) return false;
        taken += more;
        own += more;
        return true;
      },
      close: () => {
        taken -= own;
        own = 0;
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
    enter: (bytes) =>
      new Promise((admit) => {
        waiting.push({ bytes, admit });
        admitNext();
      }),
  };
};
