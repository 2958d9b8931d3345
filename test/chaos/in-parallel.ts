const AT_A_TIME = 16;

/** Some at a time; gives what came of each in their order. */
export const inParallel = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const rest = items.entries();
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (const [index, item] of rest) results[index] = await work(item);
    }),
  );
  return results;
};
