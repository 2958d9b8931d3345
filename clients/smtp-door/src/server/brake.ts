const MINUTE_MS = 60_000;
/** So many wrong passwords cost nothing: people and devices mistype. */
const FREE = 5;
const FIRST_WAIT_MS = MINUTE_MS;
const LONGEST_WAIT_MS = 15 * MINUTE_MS;
/** After so long without another failure, the earlier ones are forgotten. */
const FORGET_MS = 60 * MINUTE_MS;
/** A few MB at most; beyond it the oldest are forgotten. */
const MAX_KEPT = 10_000;

type Failures = { count: number; last: number };

/** Slows those down who try passwords, by any key: an address, a name. */
export type Brake = {
  /** How long this key still waits. */
  readonly waitMs: (key: string) => number;
  readonly failed: (key: string) => void;
  readonly succeeded: (key: string) => void;
};

/** A brake that keeps at most `most` keys, each of which has `free` failures that cost nothing. */
export const makeBrake = (now: () => Date, most = MAX_KEPT, free = FREE): Brake => {
  const kept = new Map<string, Failures>();
  const find = (key: string): Failures | undefined => {
    const found = kept.get(key);
    if (found === undefined || now().getTime() - found.last < FORGET_MS) return found;
    kept.delete(key);
    return undefined;
  };
  return {
    waitMs: (key) => {
      const found = find(key);
      if (found === undefined || found.count < free) return 0;
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (found.count - free), LONGEST_WAIT_MS);
      return Math.max(0, found.last + wait - now().getTime());
    },
    failed: (key) => {
      const count = (find(key)?.count ?? 0) + 1;
      // A map keeps its order: the key that failed last is the last to be forgotten.
      kept.delete(key);
      kept.set(key, { count, last: now().getTime() });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
    },
    succeeded: (key) => {
      kept.delete(key);
    },
  };
};
