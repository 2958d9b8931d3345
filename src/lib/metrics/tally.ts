/** What an instrument has measured, with its attributes: their names and values come from small closed sets. */
export type Measurement = {
  readonly instrument: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
};

/** A distribution: how many values were in each bucket, of which the last has no upper bound, and their sum. */
export type Distribution = { readonly buckets: readonly number[]; readonly sum: number };

/** What was counted, by the key of a series. Whatever is added to it only makes it larger. */
export type Tally = {
  readonly counts: Readonly<Record<string, number>>;
  readonly distributions: Readonly<Record<string, Distribution>>;
};

export const NOTHING_COUNTED: Tally = { counts: {}, distributions: {} };

/** One text for an instrument with its attributes, in whatever order these are. */
export const seriesKey = (instrument: string, attributes: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(attributes);
  if (entries.length > 1) entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([instrument, ...entries.flat()]);
};

/** The instrument and the attributes of a series; undefined where this is no key of one. */
export const readSeriesKey = (
  key: string,
): { readonly instrument: string; readonly attributes: Readonly<Record<string, string>> } | undefined => {
  try {
    const parts: unknown = JSON.parse(key);
    if (!Array.isArray(parts) || parts.length % 2 === 0 || !parts.every((one) => typeof one === 'string'))
      return undefined;
    const [instrument = '', ...flat] = parts as readonly string[];
    const attributes = Object.fromEntries(
      flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : [])),
    );
    return { instrument, attributes };
  } catch {
    return undefined;
  }
};

const combined = (one: Tally, other: Tally, sign: 1 | -1): Tally => {
  // Seconds are no whole numbers: their difference can be a little less than nothing.
  const add = (value: number | undefined, more: number | undefined): number =>
    Math.max(0, (value ?? 0) + sign * (more ?? 0));
  const counts: Record<string, number> = { ...one.counts };
  for (const [key, count] of Object.entries(other.counts)) counts[key] = add(counts[key], count);
  const distributions: Record<string, Distribution> = { ...one.distributions };
  for (const [key, { buckets, sum }] of Object.entries(other.distributions)) {
    const before = distributions[key] ?? { buckets: [], sum: 0 };
    const length = Math.max(buckets.length, before.buckets.length);
    distributions[key] = {
      buckets: Array.from({ length }, (_, at) => add(before.buckets[at], buckets[at])),
      sum: add(before.sum, sum),
    };
  }
  return { counts, distributions };
};

/** Both together. */
export const plus = (one: Tally, other: Tally): Tally => combined(one, other, 1);

/** What has been added to `before` since. */
export const minus = (now: Tally, before: Tally): Tally => combined(now, before, -1);
