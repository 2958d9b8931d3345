import { bookedWithin, cutAt } from './booked-runs.ts';
import type { Lane, LaneLimits } from './mailbox-lane.ts';

/* What becomes of the lane of a mailbox when Graph refuses its requests. */

/** Graph limits the mailbox, for longer than it does for too many at once if `isLong`. */
export type Refusal = { readonly until: number; readonly isLong: boolean };

const HOUR_MS = 3_600_000;
/** Of starts. A divisor of the window and of the usual distance, so that it costs nothing of the limit. */
export const GRID_MS = 16;
/** A start that is not further away is kept for whoever asks. */
export const KEPT_MS = 15_000;
/**
 * A limit that was cut grows back: who else sent from the mailbox may have stopped. In each of these times it doubles up to half the
 * limit, and grows by one above that.
 */
const REGROWTH_MS = 5 * 60_000;
/** By then it has grown back, also where instances have other settings. */
const CUT_MS = 3 * HOUR_MS;
/** By its own clock, another instance may have used a start that is not further away. Clocks are corrected by that of storage. */
const CLOCKS_MS = 512;
/**
 * Requests of other instances hang, and nobody sees them: each pause that follows soon after another is twice as long, up to this. By
 * then they end, or one gets through.
 */
const CROWDED_AGAIN_MS = 5000;
const CROWDED_LEAST_MS = 1000;
const CROWDED_MOST_MS = 16_000;

/** Of the starts after some were void, so that no new one is the same as one of those. */
export const nextPhase = ({ phase }: Lane): number => (phase + 2) % GRID_MS;

/** What the mailbox takes in a minute, as far as it is known. */
export const perMinuteOf = ({ cut }: Lane, { perMinute }: LaneLimits, now: number): number => {
  if (cut === undefined) return perMinute;
  const half = Math.floor(perMinute / 2);
  let grown = cut.perMinute;
  for (let passed = now - cut.at; passed >= REGROWTH_MS && grown < perMinute; passed -= REGROWTH_MS)
    grown = grown < half ? Math.min(half, 2 * grown) : grown + 1;
  return Math.min(perMinute, grown);
};

/** A lane whose limit was cut so long ago that it has grown back. */
export const withoutOldCut = (lane: Lane, now: number): Lane => {
  if (lane.cut === undefined || Math.abs(now - lane.cut.at) <= CUT_MS) return lane;
  const { cut: _, ...whole } = lane;
  return whole;
};

const withCrowd = (
  { crowded: { count, until } }: Lane,
  pausedUntil: number,
  now: number,
): Pick<Lane, 'crowded' | 'pausedUntil'> => {
  // Those refused during a pause began before it.
  const isAgain = now >= until && now - until < CROWDED_AGAIN_MS;
  const next = isAgain ? count + 1 : now < until ? count : 0;
  const leastUntil = isAgain ? now + Math.min(CROWDED_MOST_MS, CROWDED_LEAST_MS * 2 ** next) : 0;
  const end = Math.max(pausedUntil, leastUntil);
  return { crowded: { count: next, until: end }, pausedUntil: end };
};

/** What the mailbox takes in a minute, as Graph refused after what was sent in the last one. */
const cutFor = (lane: Lane, limits: LaneLimits, now: number): NonNullable<Lane['cut']> => {
  const accepted =
    bookedWithin(lane.booked, now - 60_000, now).length +
    lane.taken.filter((at) => at > now - 60_000 && at <= now).length;
  // At most by half: one that had hardly begun would otherwise wait for hours, if it was not its minute that was used up.
  const whole = perMinuteOf(lane, limits, now);
  return { perMinute: Math.max(1, Math.min(whole, Math.max(accepted - 1, Math.floor(whole / 2)))), at: now };
};

/**
 * A long pause begins. Nobody goes before its end, and then one email alone finds out. Whoever has a start of later gives its recipients
 * back when it comes, and gets another start. What was used counts.
 */
const voided = (lane: Lane, now: number): Lane => {
  const begun = now + CLOCKS_MS;
  return {
    ...lane,
    isProbing: true,
    booked: [
      ...cutAt(lane.booked, begun)[0],
      ...cutAt(cutAt(lane.booked, Math.max(begun, lane.pausedUntil))[1], now + KEPT_MS)[0],
    ],
    taken: lane.taken.filter((at) => at <= begun || (at > lane.pausedUntil && at <= now + KEPT_MS)),
    free: [],
    standing: [],
    askUpTo: 0,
    phase: nextPhase(lane),
  };
};

/** The lane after Graph refused, as one instance tells it. */
export const afterRefusal = (
  lane: Lane,
  limits: LaneLimits,
  { until, isLong }: Refusal,
  now: number,
): Lane => {
  // The one that is to find out would be too early.
  const isTooEarly = isLong && lane.probe > now && lane.probe < until;
  if (until <= lane.pausedUntil && !isTooEarly) return lane;
  if (!isLong) return { ...lane, ...withCrowd(lane, until, now) };
  const isPaused = lane.pausedUntil > now;
  const paused = { ...lane, pausedUntil: until };
  // Of those in progress together, another was refused before, and nobody has found out since.
  if (isPaused && lane.isProbing) return paused;
  return { ...voided(paused, now), ...(isPaused ? {} : { cut: cutFor(lane, limits, now) }) };
};
