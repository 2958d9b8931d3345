/** Recipients by hours since 1970. The last 24 hours count, and the first of them until all of it is over. */
export type Hours = Readonly<Record<string, number>>;

const HOUR_MS = 3_600_000;
const HOURS_OF_DAY = 24;
/** Whoever would wait longer than a week looks again then. */
const MOST_HOURS = 7 * HOURS_OF_DAY;

/** The hour since 1970 of a time in milliseconds of the epoch. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS);

/** The hours that count at a time, and those after it. */
export const countedHours = (hours: Hours, now: number): Hours =>
  Object.fromEntries(Object.entries(hours).filter(([hour]) => Number(hour) >= hourOf(now) - HOURS_OF_DAY));

/** How many count at a time. */
export const recipientsIn = (hours: Hours, now: number): number =>
  Object.values(countedHours(hours, now)).reduce((sum, count) => sum + count, 0);

/**
 * When a limit has room for so many more; `now` where it has. One with more than the limit goes when nothing else counts. Emails that wait
 * have recipients by the hour in which they may go: so many more fit behind those, then and in every hour of the next day. Hours of which
 * the recipients no longer count make room, those of waiting emails too.
 */
export const roomAt = (
  hours: Hours,
  limit: number,
  recipients: number,
  now: number,
  waiting: Hours = {},
): number => {
  const need = Math.min(recipients, limit);
  const first = hourOf(now);
  const counts = (of: Hours) => Object.entries(of).map(([hour, count]) => [Number(hour), count] as const);
  const [promised, later] = [counts(hours), counts(waiting)];
  const countAt = (hour: number): number => {
    let sum = 0;
    // What is counted of an hour that has not come counts already: it was promised.
    for (const [at, count] of promised) if (at >= hour - HOURS_OF_DAY) sum += count;
    for (const [at, count] of later) if (at >= hour - HOURS_OF_DAY && at <= hour) sum += count;
    return sum;
  };
  let place = first;
  for (let hour = first; hour <= place + HOURS_OF_DAY && place < first + MOST_HOURS; hour += 1)
    if (countAt(hour) + need > limit) place = hour + 1;
  return Math.max(now, place * HOUR_MS);
};
