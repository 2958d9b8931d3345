/**
 * Does `count` jobs, at most `concurrency` of them simultaneously, and gives the milliseconds of the whole per job. After a
 * failure no further job begins, and the failure is thrown once those in progress have ended.
 */
export const closedLoop = async (
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
  job: (index: number) => Promise<void>,
): Promise<number> => {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      try {
        await job(index);
      } catch (failure) {
        next = count;
        throw failure;
      }
    }
  };
  const start = performance.now();
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return (performance.now() - start) / count;
};
