/** Bytes that messages in progress hold together. Each part that is taken is given back, once. */
export type MemoryBudget = {
  readonly free: () => number;
  /** False where so many are not free; then nothing is taken. */
  readonly take: (bytes: number) => boolean;
  readonly giveBack: (bytes: number) => void;
};

/** A budget of so many bytes. */
export const makeMemoryBudget = (bytes: number): MemoryBudget => {
  let taken = 0;
  return {
    free: () => bytes - taken,
    take: (more) => {
      if (taken + more > bytes) return false;
      taken += more;
      return true;
    },
    giveBack: (less) => {
      taken -= less;
    },
  };
};
