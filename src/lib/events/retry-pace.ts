const SECOND_MS = 1000;
/** Of one receiver. What 20 receivers that fail bring back in a second, an instance works on within that second. */
const PER_SECOND = 4;
/** A longer backlog comes back somewhat faster rather than hours late. */
const LONGEST_SHIFT_SECONDS = 3600;

/**
 * Spreads the messages that come back for one receiver, so that the backlog of an outage does not become visible at one moment, before
 * the events that are new then. Gives a wait of at least so long.
 */
export const makeRetryPace = () => {
  const taken = new Map<number, number>();
  let prunedAt = 0;

  const prune = (second: number): void => {
    if (second === prunedAt) return;
    prunedAt = second;
    for (const past of taken.keys()) if (past < second) taken.delete(past);
  };

  return (leastMs: number, now: Date): number => {
    prune(Math.floor(now.getTime() / SECOND_MS));
    const first = Math.floor((now.getTime() + leastMs) / SECOND_MS);
    let second = first;
    let fewest = first;
    for (; second < first + LONGEST_SHIFT_SECONDS; second += 1) {
      const there = taken.get(second) ?? 0;
      if (there < PER_SECOND) break;
      if (there < (taken.get(fewest) ?? 0)) fewest = second;
    }
    const chosen = second < first + LONGEST_SHIFT_SECONDS ? second : fewest;
    taken.set(chosen, (taken.get(chosen) ?? 0) + 1);
    return leastMs + (chosen - first) * SECOND_MS;
  };
};
