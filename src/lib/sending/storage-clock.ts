/** What an answer of storage said of the time there: at least `at`, and less than `precisionMs` more. */
export type ServerTime = { readonly at: Date; readonly precisionMs: number };

export type StorageClock = {
  /** The time by the clock of storage, as far as it is known; in milliseconds of the epoch. */
  readonly now: (own: Date) => number;
  /** Learns from one request: our times before and after it. */
  readonly learn: (before: Date, server: ServerTime, after: Date) => void;
};

/** Older observations are forgotten by degrees: clocks drift, by about a second a day. */
const DRIFT = 1e-4;

/**
 * Keeps in which interval the difference between our clock and that of storage must be. A clock that can be right is believed; one that
 * cannot is corrected by no more than is certain. So that instances whose clocks differ by seconds mean the same time.
 */
export const makeStorageClock = (): StorageClock => {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  let learntAt = 0;

  return {
    now: (own) => own.getTime() + Math.min(Math.max(0, least), most),
    learn: (before, { at, precisionMs }, after) => {
      const low = at.getTime() - after.getTime();
      const high = at.getTime() + precisionMs - before.getTime();
      const doubt = Math.abs(after.getTime() - learntAt) * DRIFT;
      least = Math.max(least - doubt, low);
      most = Math.min(most + doubt, high);
      // The clock was set since.
      if (least > most) [least, most] = [low, high];
      learntAt = after.getTime();
    },
  };
};
