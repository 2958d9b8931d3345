/*
 * Starts that are booked ahead, in few numbers: a mailbox can have tens of thousands. Oldest first; none is before an earlier one. Times are
 * milliseconds of the epoch.
 */

/** Starts at equal distances: the first, the distance, and how many. */
export type Run = readonly [from: number, step: number, count: number];

/** So that they are never too large for an entity of a table. */
export const MOST_RUNS = 400;
/** What is older only counts, to so many milliseconds, where there are many runs. */
const COUNTS_ONLY_MS = 5000;
const COARSE_MS = 2000;

const lastOf = ([from, step, count]: Run): number => from + step * (count - 1);

/** The last start; before all times where there is none. */
export const lastBooked = (booked: readonly Run[]): number => {
  const last = booked.at(-1);
  return last === undefined ? Number.NEGATIVE_INFINITY : lastOf(last);
};

/** The booked starts from one time to another, both included. */
export const bookedWithin = (booked: readonly Run[], from: number, to: number): readonly number[] =>
  booked.flatMap((run) => {
    const [first, step, count] = run;
    if (first > to || lastOf(run) < from) return [];
    if (step === 0) return Array.from({ length: count }, () => first);
    const begin = Math.max(0, Math.ceil((from - first) / step));
    const end = Math.min(count - 1, Math.floor((to - first) / step));
    return Array.from({ length: Math.max(0, end - begin + 1) }, (_, index) => first + (begin + index) * step);
  });

/** How many starts are booked after a time. */
export const countAfter = (booked: readonly Run[], time: number): number =>
  booked.reduce((sum, [first, step, count]) => {
    if (first > time) return sum + count;
    return step === 0 ? sum : sum + Math.max(0, count - 1 - Math.floor((time - first) / step));
  }, 0);

/** The start that is so many before the last one booked; 1 is the last. */
export const bookedFromEnd = (booked: readonly Run[], place: number): number => {
  let left = place;
  for (const run of booked.toReversed()) {
    const [first, step, count] = run;
    if (left <= count) return first + step * (count - left);
    left -= count;
  }
  return Number.NEGATIVE_INFINITY;
};

/** With one more start, which is not before the others. */
export const addRun = (booked: readonly Run[], at: number): readonly Run[] => {
  const last = booked.at(-1);
  if (last === undefined) return [[at, 0, 1]];
  const [first, step, count] = last;
  if (count === 1 || at - lastOf(last) === step)
    return [...booked.slice(0, -1), [first, count === 1 ? at - first : step, count + 1]];
  return [...booked, [at, 0, 1]];
};

/** Whether a run has this start. */
export const isIn = (run: Run, at: number): boolean => {
  const [first, step] = run;
  return at >= first && at <= lastOf(run) && (step === 0 ? at === first : (at - first) % step === 0);
};

/** The runs up to a time, and from then on. */
export const cutAt = (booked: readonly Run[], time: number): readonly [readonly Run[], readonly Run[]] => {
  const until: Run[] = [];
  const after: Run[] = [];
  for (const run of booked) {
    const [first, step, count] = run;
    if (lastOf(run) <= time) until.push(run);
    else if (first > time) after.push(run);
    else {
      const passed = Math.floor((time - first) / step) + 1;
      until.push([first, passed === 1 ? 0 : step, passed]);
      after.push([first + passed * step, count - passed === 1 ? 0 : step, count - passed]);
    }
  }
  return [until, after];
};

/** Many runs, of which those that have passed are fewer: their starts are moved together, to later ones and never to earlier ones. */
export const condensed = (booked: readonly Run[], now: number): readonly Run[] => {
  if (booked.length <= MOST_RUNS / 2) return booked;
  const [old, current] = cutAt(booked, now - COUNTS_ONLY_MS);
  const passed = new Map<number, Run>();
  for (const at of bookedWithin(old, Number.NEGATIVE_INFINITY, now)) {
    const coarse = Math.floor(at / COARSE_MS);
    passed.set(coarse, [at, 0, (passed.get(coarse)?.[2] ?? 0) + 1]);
  }
  return [...passed.values(), ...current];
};

/** The runs without starts that nobody used; where there are too many runs, such a start is lost. */
export const withoutBooked = (booked: readonly Run[], gone: readonly number[]): readonly Run[] =>
  gone.reduce<readonly Run[]>((runs, at) => {
    const place = runs.findIndex((run) => isIn(run, at));
    const run = runs[place];
    if (run === undefined || runs.length >= MOST_RUNS) return runs;
    const [first, step, count] = run;
    const index = step === 0 ? 0 : (at - first) / step;
    const parts: Run[] = [];
    if (index > 0) parts.push([first, index === 1 ? 0 : step, index]);
    const rest = count - index - 1;
    if (rest > 0) parts.push([step === 0 ? first : at + step, rest === 1 ? 0 : step, rest]);
    return runs.toSpliced(place, 1, ...parts);
  }, booked);
