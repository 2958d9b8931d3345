/** Time as the host sees it, so that a test can move it instead of waiting. */
export type Clock = {
  readonly now: () => Date;
  /** Runs once after the delay; the returned function calls it off. */
  readonly after: (delayMs: number, run: () => void) => () => void;
};

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => new Date(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
