/** Recipients by hours since 1970. The last 24 hours count, and the first of them until all of it is over. */
export type Hours = Readonly<Record<string, number>>;

const HOUR_MS = 3_600_000;
const HOURS_OF_DAY = 24;

/** The hour since 1970 of a time in milliseconds of the epoch. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS);

/** The hours that count at a time, and those after it. */
export const countedHours = (hours: Hours, now: number): Hours =>
  Object.fromEntries(Object.entries(hours).filter(([hour]) => Number(hour) >= hourOf(now) - HOURS_OF_DAY));

/** How many count at a time. */
export const recipientsIn = (hours: Hours, now: number): number =>
  Object.values(countedHours(hours, now)).reduce((sum, count) => sum + count, 0);

/** When a limit has room for so many more; `now` where it has. One with more than the limit goes when nothing else counts. */
export const roomAt = (hours: Hours, limit: number, recipients: number, now: number): number => {
  const need = Math.min(recipients, limit);
  const last = hourOf(now) + HOURS_OF_DAY + 1;
  for (let hour = hourOf(now); hour <= last; hour += 1) {
    const at = Math.max(now, hour * HOUR_MS);
    if (recipientsIn(hours, at) + need <= limit) return at;
  }
  return now + (HOURS_OF_DAY + 1) * HOUR_MS;
};
