import { dayOf } from '../callers/quota.ts';
import type { ToldWarning } from '../ports.ts';
import { isAhead } from './clock-ahead.ts';
import type { CredentialWarning } from './credential-warning.ts';

/** After so many days people are reminded of a date that is missing or wrong. */
const REMINDER_DAYS = 30;
const WEEK_DAYS = 7;
const DAY_MS = 86_400_000;

/** Midnights in UTC between two times. */
const midnightsBetween = (earlier: Date, later: Date): number =>
  (Date.parse(dayOf(later)) - Date.parse(dayOf(earlier))) / DAY_MS;

/** Whether a warning holds now, so that people know of it or should. */
export const holds = (warning: CredentialWarning, thresholds: readonly number[]): boolean =>
  warning.state !== 'expiring' ||
  warning.daysLeft <= Math.min(Math.max(...thresholds), warning.quietAboveDays ?? Number.POSITIVE_INFINITY);

/**
 * Whether it is time to tell people of a warning. `told` is what they were told of it the last time. For what expires, that is when it
 * has crossed one more of the thresholds since then, however many runs were missed and whatever the list was before.
 */
export const isDue = (
  warning: CredentialWarning,
  told: ToldWarning | undefined,
  thresholds: readonly number[],
  now: Date,
): boolean => {
  if (!holds(warning, thresholds)) return false;
  if (told === undefined || told.mark !== warning.mark || isAhead(told.toldOn, now)) return true;
  const days = midnightsBetween(told.toldOn, now);
  // No channel took it: then with the next run. An email that waits or was lost: on the next day.
  if (told.reached.length === 0 && (told.mails.length === 0 || days > 0)) return true;
  switch (warning.state) {
    case 'expiring': {
      const { daysLeft } = warning;
      const toldAt = told.daysLeft ?? Number.POSITIVE_INFINITY;
      return thresholds.some((threshold) => daysLeft <= threshold && threshold < toldAt);
    }
    case 'expired':
      return (told.daysLeft ?? 1) > 0 || days >= (isOldAndUnused(warning) ? WEEK_DAYS : 1);
    case 'refused':
      return days > 0;
    default:
      return days >= REMINDER_DAYS;
  }
};

/** Nothing fails any more because of it: who reads of it each day for ever does not read the rest. */
const isOldAndUnused = (warning: CredentialWarning & { readonly daysLeft: number }): boolean =>
  warning.uses.length === 0 && warning.daysLeft <= -WEEK_DAYS;
