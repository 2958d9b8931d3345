/*
 * A budget of recipients for any 24 hours, which many mailboxes share. What was taken of it is one row for all instances, by hours. An
 * instance takes a block of what is left and counts its own emails against that block in memory, so that an email seldom costs a
 * request and no 24 hours get more than the limit. Pure. Times are milliseconds of the epoch.
 */

import { growingFactor, type LastBlock } from './block-factor.ts';
import { countedHours, type Hours, hourOf, recipientsIn, roomAt } from './rolling-day.ts';

export type RecipientBudget = {
  readonly hours: Hours;
  /** When somebody was last warned that little is left. */
  readonly warnedAt?: number;
};

export const EMPTY_BUDGET: RecipientBudget = { hours: {} };

const DAY_MS = 86_400_000;
/**
 * What is taken is counted a little ahead: Exchange counts an email when it has it, by its own clock. More than a request takes with its
 * token, and than clocks differ.
 */
const AHEAD_MS = 5 * 60_000;
/** From here on somebody is warned. */
const NEAR = 0.8;
/** At most this part of what is left, so that the blocks end with single emails. */
const PART_OF_LEFT = 10;
/** A block is lost when its instance ends: it is for a few emails, or for a small part of a large limit. */
const MOST_FACTOR = 16;
const PART_OF_LIMIT = 2000;

/** The hour for which an email counts that is sent now. A block is of this hour, and of no use in another. */
export const countingHour = (now: number): number => hourOf(now + AHEAD_MS);

/** Without what is given back, and without what counts no more. */
const settled = ({ hours, ...budget }: RecipientBudget, owed: Hours, now: number): RecipientBudget => ({
  ...budget,
  hours: Object.fromEntries(
    Object.entries(countedHours(hours, now))
      .map(([hour, count]): [string, number] => [hour, Math.max(0, count - (owed[hour] ?? 0))])
      .filter(([, count]) => count > 0),
  ),
});

/** For how many emails like this one the next block is. */
export const nextFactor = (last: LastBlock | undefined, now: number): number =>
  growingFactor(last, now, MOST_FACTOR);

export type Asked = {
  readonly limit: number;
  readonly now: number;
  readonly recipients: number;
  /** What this instance still has for this hour. */
  readonly held: number;
  readonly factor: number;
  /** What it gives back, by hours. */
  readonly owed: Hours;
};

export type Settlement = {
  /** To be written. */
  readonly budget: RecipientBudget;
  readonly answer: /** So many more are this instance's, for this hour. */
    | { readonly kind: 'block'; readonly amount: number; readonly warns: boolean }
    | { readonly kind: 'reached'; readonly at: number };
};

/** Takes the block for an email and gives back what is owed. */
export const takeBlock = (
  before: RecipientBudget,
  { limit, now, recipients, held, factor, owed }: Asked,
): Settlement => {
  const budget = settled(before, owed, now);
  const need = Math.min(recipients, limit);
  const missing = Math.max(0, need - held);
  const at = roomAt(budget.hours, limit, missing, now);
  if (at > now) return { budget, answer: { kind: 'reached', at } };
  const left = limit - recipientsIn(budget.hours, now);
  const most = Math.max(need * factor, factor === MOST_FACTOR ? Math.floor(limit / PART_OF_LIMIT) : 0);
  const amount = Math.max(missing, Math.min(most, Math.floor(left / PART_OF_LEFT)));
  const hour = String(countingHour(now));
  const warns =
    limit - left + amount >= NEAR * limit && now - (before.warnedAt ?? Number.NEGATIVE_INFINITY) >= DAY_MS;
  return {
    budget: {
      ...budget,
      ...(warns ? { warnedAt: now } : {}),
      hours: { ...budget.hours, [hour]: (budget.hours[hour] ?? 0) + amount },
    },
    answer: { kind: 'block', amount, warns },
  };
};
