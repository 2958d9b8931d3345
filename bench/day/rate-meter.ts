/** Counts by the second. */
export const makeRateMeter = (start: number) => {
  const seconds: number[] = [];
  return {
    note: (time: number): void => {
      const second = Math.max(0, Math.floor((time - start) / 1000));
      while (seconds.length <= second) seconds.push(0);
      seconds[second] = (seconds[second] ?? 0) + 1;
    },
    most: (): number => seconds.reduce((most, one) => Math.max(most, one), 0),
    total: (): number => seconds.reduce((sum, one) => sum + one, 0),
  };
};
