import { ConnectionLost } from './keep-alive-client.ts';

/** One thing to be measured; gives a figure. */
export type Case<Name extends string = string> = {
  readonly name: Name;
  readonly measure: () => Promise<number>;
};

/** The figures of one round, by name. */
type Round<Name extends string = string> = ReadonlyMap<Name, number>;

/** A connection that ends in the middle of a request is rare; more than this is a fault. */
const MOST_REPEATED = 3;

/**
 * Measures every case once for warmth and then in rounds, one after the other, so that what else the machine does
 * falls on all of them. A measurement that lost a connection is discarded as a whole and made again.
 */
export const inRounds = async <Name extends string>(
  count: number,
  cases: readonly Case<Name>[],
  progress: (line: string) => void,
): Promise<readonly Round<Name>[]> => {
  const rounds: Round<Name>[] = [];
  let repeated = 0;
  const measured = async ({ name, measure }: Case<Name>): Promise<number> => {
    for (;;) {
      try {
        return await measure();
      } catch (failure) {
        if (!(failure instanceof ConnectionLost) || repeated === MOST_REPEATED) throw failure;
        repeated += 1;
        progress(`${name} is measured again. ${failure.message}`);
      }
    }
  };
  for (let round = 0; round <= count; round += 1) {
    progress(round === 0 ? 'warming up' : `round ${round} of ${count}`);
    const figures = new Map<Name, number>();
    for (const one of cases) figures.set(one.name, await measured(one));
    if (round > 0) rounds.push(figures);
  }
  return rounds;
};

/**
 * The median over all rounds of something computed within each: a ratio of two figures of one round says more than
 * one of two medians, since a busy machine slows down both.
 */
export const medianOf = <Name extends string>(
  rounds: readonly Round<Name>[],
  compute: (figure: (name: Name) => number) => number,
): number => median(rounds.map((round) => compute((name) => round.get(name) ?? Number.NaN)));

export const median = (figures: readonly number[]): number => {
  const sorted = [...figures].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2 - 1] ?? Number.NaN)) / 2;
};
