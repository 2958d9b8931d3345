/** Does `count` jobs, never more than `concurrency` at once, and gives the milliseconds that each one took of the whole. */
export const closedLoop = async (
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
  job: (index: number) => Promise<void>,
): Promise<number> => {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await job(index);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (performance.now() - start) / count;
};
