import { odata, type TableClient } from '@azure/data-tables';
import { inOrder, placeOf, prefixOf, type SearchPlace, searchKeysIn } from '../ledger/search-index.ts';
import type { MailIndex } from '../ports.ts';
import { explained } from './explain-failures.ts';
import { isFiled } from './file-earlier.ts';
import { PARTITIONS, partitionNamed } from './ledger-entity.ts';
import { openTable } from './open-table.ts';
import { isNewLedger } from './relay-key.ts';
import type { StorageConnection } from './storage-connection.ts';

/** So many partitions are asked at the same time. */
const AT_ONCE = 32;
/** What a page of a whole search needs of one of 256 partitions, with room for chance. */
const FIRST = 4;

/** What one partition has given so far, and what remains to be asked. */
type Stretch = { readonly partition: string; readonly places: SearchPlace[]; above: string; isOver: boolean };

/** By what emails are found, in the table of the ledger: one query for each of 256 partitions, and more only where one has more to give. */
export const openMailIndexTable = (connection: StorageConnection): MailIndex => {
  const table = openTable(connection);
  let isDone = false;
  return {
    list: explained(async (term, range, limit) => {
      const { above, below } = searchKeysIn(prefixOf(term), range);
      if (above >= below || limit < 1) return [];
      const stretches = Array.from(
        { length: PARTITIONS },
        (_, number): Stretch => ({ partition: partitionNamed(number), places: [], above, isOver: false }),
      );
      const take = (count: number, some: readonly Stretch[]) =>
        inParallel(some, (stretch) => ask(table, stretch, below, count));
      await take(Math.min(FIRST, limit), stretches);
      for (;;) {
        const best = stretches
          .flatMap(({ places }) => places)
          .sort(inOrder)
          .slice(0, limit);
        const last = best.at(-1);
        // A partition whose last place is among the best may have more of them.
        const open = stretches.filter(
          ({ isOver, places }) =>
            !isOver && (best.length < limit || inOrder(places.at(-1) ?? last!, last!) <= 0),
        );
        if (open.length === 0) return best;
        await take(limit, open);
      }
    }),
    isFiling: explained(async () => {
      isDone ||= (await isNewLedger(table)) || (await isFiled(table));
      return !isDone;
    }),
  };
};

/** Asks one partition for so many places more. */
const ask = async (table: TableClient, stretch: Stretch, below: string, count: number): Promise<void> => {
  const { partition, above } = stretch;
  const filter = odata`PartitionKey eq ${partition} and RowKey gt ${above} and RowKey lt ${below}`;
  const pages = table
    .listEntities({ queryOptions: { filter, select: ['rowKey'] } })
    .byPage({ maxPageSize: count });
  for await (const page of pages) {
    for (const { rowKey = '' } of page) {
      const place = placeOf(rowKey);
      if (place !== undefined) stretch.places.push(place);
      stretch.above = rowKey;
    }
    // A page can be short without being the last one.
    if (page.continuationToken === undefined) stretch.isOver = true;
    else if (page.length === 0) continue;
    return;
  }
  stretch.isOver = true;
};

const inParallel = async <Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> => {
  const waiting = [...items];
  const work = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
};
