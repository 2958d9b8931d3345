/** The first part is discarded: messages become visible within a second, and whoever takes them is still waking up. */
const DISCARDED = 3;

/** A number of emails of which the discarded third is whole. */
export const wholeThirds = (count: number): number => Math.max(1, Math.round(count / DISCARDED)) * DISCARDED;

/** Milliseconds per email over the last two thirds, by when each email was done. Whole emails only. */
export const steadyMs = (doneAt: readonly number[]): number => {
  if (doneAt.length % DISCARDED !== 0)
    throw new Error(`Expected a number of emails that ${DISCARDED} divides, received ${doneAt.length}.`);
  const sorted = doneAt.toSorted((one, other) => one - other);
  const first = sorted.length / DISCARDED - 1;
  return ((sorted.at(-1) ?? 0) - (sorted[first] ?? 0)) / (sorted.length - 1 - first);
};
