const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Ten thousand emails that wait come back over this time after midnight, seventeen a second. */
const SPREAD_MS = 10 * 60_000;

/** Longer than a weekend with two holidays, and less than the seven days after which a message counts as lost. */
const MOST_WAIT_MS = 5 * DAY_MS;

/**
 * How long an email from the queue waits for the limit of its caller until it looks again: less than an hour, as the limit can be
 * raised, and shortly after midnight, those first that have waited longest. `random` is from 0 to 1.
 */
export const decideLimitWait = (
  { now, resetsAt, waitsSince }: Record<'now' | 'resetsAt' | 'waitsSince', Date>,
  random: number,
): number => {
  const hop = HOUR_MS * (0.75 + 0.25 * random);
  const toReset = resetsAt.getTime() - now.getTime();
  if (toReset > hop) return Math.ceil(hop);
  const days = Math.floor(Math.max(0, now.getTime() - waitsSince.getTime()) / DAY_MS);
  return Math.ceil(toReset + (SPREAD_MS * random) / (1 + days));
};

/**
 * After how long an email that waits for the limit is held, so that a person sees it. The ledger must know it for long enough that
 * its attempts have their whole time.
 */
export const mostLimitWaitMs = ({
  ledgerDays,
  giveUpAfterMs,
}: {
  readonly ledgerDays: number;
  readonly giveUpAfterMs: number;
}): number => Math.min(MOST_WAIT_MS, ledgerDays * DAY_MS - giveUpAfterMs);
