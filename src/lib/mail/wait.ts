const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** First waits of a mail that nobody gave a Retry-After; later ones are as the last. */
const BACK_OFF_MS = [5 * SECOND, 15 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];
/** Storage queues take a visibility timeout of seven days at most; a day is as long as a mail may wait. */
const MAX_WAIT_MS = 24 * 60 * MINUTE;
/** So that mails throttled together do not come back together. */
const JITTER = 0.2;

/**
 * How long a mail waits before its next attempt, in milliseconds: never less than the other side asked for,
 * else a growing back-off, with up to a fifth more by `random` (0 to 1).
 */
export const decideWait = (attempts: number, askedMs: number | undefined, random: number): number => {
  const index = Math.min(Math.max(attempts, 1), BACK_OFF_MS.length) - 1;
  const base = askedMs ?? BACK_OFF_MS[index] ?? MINUTE;
  return Math.min(Math.ceil(base * (1 + JITTER * random)), MAX_WAIT_MS);
};
