// QueuePollingIntervals.Minimum and RandomizedExponentialBackoffStrategy of the queue extension.
const MINIMUM_MS = 100;
const SPREAD = 0.2;

/** How long to wait for the next look into an empty queue: doubling, a little random, up to the maximum. */
export const makePollingBackOff = (
  maximumMs: number,
  random: () => number,
): ((foundMessageSince: boolean) => number) => {
  let currentMs = 0;
  let exponent = 1;
  return (foundMessageSince) => {
    if (foundMessageSince) {
      currentMs = MINIMUM_MS;
      exponent = 1;
    } else if (currentMs !== maximumMs) {
      const spread = 1 - SPREAD + 2 * SPREAD * random();
      const nextMs = MINIMUM_MS + spread * 2 ** (exponent - 1) * MINIMUM_MS;
      if (nextMs < maximumMs) exponent++;
      currentMs = Math.min(nextMs, maximumMs);
    }
    return Math.min(currentMs, maximumMs);
  };
};
