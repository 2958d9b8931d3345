/** What is running now: so that a stop can wait for it, and a test for quiet. */
export type InFlight = {
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  readonly count: () => number;
  /** Resolves when nothing runs. */
  readonly idle: () => Promise<void>;
};

/** Nothing runs at first. */
export const makeInFlight = (): InFlight => {
  const running = new Set<Promise<unknown>>();
  return {
    track: (work) => {
      running.add(work);
      const forget = () => running.delete(work);
      work.then(forget, forget);
      return work;
    },
    count: () => running.size,
    idle: async () => {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
};
