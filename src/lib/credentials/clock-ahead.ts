/** Clocks of two instances may differ by this much. */
const CLOCKS_MS = 5 * 60_000;

/**
 * Whether a time that was kept says nothing: a clock that was ahead wrote it, or it is no time. Whoever waits until then would be silent
 * for as long as that clock was wrong.
 */
export const isAhead = (kept: Date, now: Date): boolean => !(kept.getTime() - now.getTime() <= CLOCKS_MS);
