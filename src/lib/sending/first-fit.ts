/** Within every window of this length no more than so many of these times, which are oldest first. */
export type Rule = { readonly times: readonly number[]; readonly most: number; readonly windowMs: number };

/** How many of these are not after a time: the place at which one more belongs. */
export const placeAfter = (times: readonly number[], time: number): number => {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * The first time from one on at which one more keeps all these rules; infinite where there is none. A rule forbids a time where it is
 * less than a window from the oldest and from the newest of as many as the rule allows, and these are themselves within a window.
 * What is forbidden moves on with the times, so that each time is looked at once for each rule.
 */
const roomFrom = (from: number, rules: readonly Rule[]): number => {
  if (rules.some(({ most }) => most < 1)) return Number.POSITIVE_INFINITY;
  const places = rules.map(({ times, windowMs }) => placeAfter(times, from - windowMs));
  let at = from;
  let before: number;
  do {
    before = at;
    rules.forEach(({ times, most, windowMs }, rule) => {
      let place = places[rule] ?? 0;
      for (; place + most <= times.length; place += 1) {
        const oldest = times[place] ?? 0;
        const newest = times[place + most - 1] ?? 0;
        if (at <= newest - windowMs) break;
        if (newest - oldest < windowMs && at < oldest + windowMs) at = oldest + windowMs;
      }
      places[rule] = place;
    });
  } while (at !== before);
  return at;
};

/**
 * The first time from one on at which one more keeps all rules; undefined where there is none before a bound. The rules change at some
 * times, the steps, and never become stricter there. The time asked for may be after the bound.
 */
export const firstFit = (
  from: number,
  rulesAt: (at: number) => readonly Rule[],
  bound: number,
  steps: readonly number[],
): number | undefined => {
  const later = steps.filter((at) => at > from).toSorted((one, other) => one - other);
  for (let at = from; at <= Math.max(from, bound); ) {
    const room = roomFrom(at, rulesAt(at));
    const next = later.shift() ?? Number.POSITIVE_INFINITY;
    if (room < next) return room <= Math.max(from, bound) ? room : undefined;
    at = next;
  }
  return undefined;
};
