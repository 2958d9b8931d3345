const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The least a mail waits after each attempt; later ones are as the last. Also where the other side asks for less. */
const BACK_OFF_MS = [5 * SECOND, 15 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE];
/**
 * The most that one answer can ask for. A `Retry-After` of a day or of years is more likely a fault than a fact;
 * after an hour one mail finds out.
 */
const LONGEST_WAIT_MS = 60 * MINUTE;
/** Graph asks for about a second when too many requests run at once. */
const SHORTEST_PAUSE_MS = SECOND;
/** So that mails throttled together do not come back together. */
const JITTER = 0.2;

const stretched = (ms: number, random: number): number =>
  Math.min(Math.ceil(ms * (1 + JITTER * random)), LONGEST_WAIT_MS);

const backOffMs = (attempts: number): number =>
  BACK_OFF_MS[Math.min(Math.max(attempts, 1), BACK_OFF_MS.length) - 1] ?? MINUTE;

/**
 * How long a mail waits before its next attempt, in milliseconds: never less than our own growing back-off, nor
 * than the other side asked for, up to an hour; with up to a fifth more by `random` (0 to 1).
 */
export const decideWait = (attempts: number, askedMs: number | undefined, random: number): number =>
  stretched(Math.max(backOffMs(attempts), askedMs ?? 0), random);

/** How long a mailbox is closed to all its mails when Graph limits it: as long as it asked, from a second to an hour. */
export const decidePause = (askedMs: number | undefined, random: number): number =>
  stretched(askedMs === undefined ? backOffMs(1) : Math.max(askedMs, SHORTEST_PAUSE_MS), random);

/**
 * Whether a mail is given up rather than left to wait: its next attempt would come after its time. Never at its
 * first attempt: a mail that was held up before it, or is asked to wait for long, is tried once more.
 */
export const decideGivingUp = ({
  attempts,
  nextAttemptAt,
  givesUpAt,
}: {
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly givesUpAt: number;
}): boolean => attempts > 1 && nextAttemptAt > givesUpAt;
