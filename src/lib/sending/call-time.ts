/*
 * How long requests to Graph take for a mailbox: nine of ten take no longer. One that hangs for a minute says nothing of the others, so a
 * request moves this by a fixed share, whatever it took.
 */

/** Until requests were seen, and the bounds of what is believed, in milliseconds. */
export const FIRST_CALL_MS = 500;
const LEAST_MS = 250;
const MOST_MS = 60_000;
/** With these, a tenth of the requests above and nine tenths below keep each other in balance. */
const UP = 1.25;
const DOWN = UP ** (-1 / 9);

/** The time that nine of ten requests take, after some more were seen. All in milliseconds. */
export const usualCallMs = (knownMs: number, callsMs: readonly number[]): number =>
  callsMs.reduce((ms, took) => Math.min(MOST_MS, Math.max(LEAST_MS, ms * (took > ms ? UP : DOWN))), knownMs);
