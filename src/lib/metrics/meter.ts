import type { LogEvent } from '../log.ts';
import { COUNTED, type CountedName, type Instrument } from './instruments.ts';
import { measurementsOf } from './measure-event.ts';
import { seriesKey, type Tally } from './tally.ts';

/** Counts the events of this process. What was counted never becomes less. */
export type Meter = {
  readonly count: (event: LogEvent) => void;
  readonly tally: () => Tally;
};

/** The index of the bucket of a value; the last one has no upper bound. */
const bucketOf = (bounds: readonly number[], value: number): number => {
  const at = bounds.findIndex((bound) => value <= bound);
  return at === -1 ? bounds.length : at;
};

/** Makes the meter of this process; `onChange` is called after whatever has counted. */
export const makeMeter = (onChange: () => void = () => undefined): Meter => {
  const counts = new Map<string, number>();
  const distributions = new Map<string, { buckets: number[]; sum: number }>();

  return {
    count: (event) => {
      const measured = measurementsOf(event);
      for (const { instrument, attributes, value } of measured) {
        const key = seriesKey(instrument, attributes);
        const { bounds } = COUNTED[instrument as CountedName] as Instrument;
        if (bounds === undefined) {
          counts.set(key, (counts.get(key) ?? 0) + value);
          continue;
        }
        const known = distributions.get(key) ?? { buckets: Array(bounds.length + 1).fill(0), sum: 0 };
        const at = bucketOf(bounds, value);
        known.buckets[at] = (known.buckets[at] ?? 0) + 1;
        known.sum += value;
        distributions.set(key, known);
      }
      if (measured.length > 0) onChange();
    },
    tally: () => ({
      counts: Object.fromEntries(counts),
      distributions: Object.fromEntries(
        [...distributions].map(([key, { buckets, sum }]) => [key, { buckets: [...buckets], sum }]),
      ),
    }),
  };
};
