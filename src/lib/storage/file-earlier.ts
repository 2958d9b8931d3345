import type { TableClient } from '@azure/data-tables';
import type { Ledger } from '../ports.ts';
import { unlessChanged } from './conflict.ts';
import { type Entity, toEntry } from './ledger-entity.ts';

/** Where the filing of earlier rows is, beside the key of the relay. */
const FILING = ['relay', 'filing-for-search'] as const;
/** `filed`: how many in this pass, so far. */
type Filing = { readonly isDone: boolean; readonly next: string; readonly filed?: number };

const readFiling = async (table: TableClient): Promise<Filing | undefined> =>
  table.getEntity<Filing>(...FILING).catch(unlessChanged);

/** Whether every row of an earlier version has the entities that file it. */
export const isFiled = async (table: TableClient): Promise<boolean> =>
  (await readFiling(table))?.isDone ?? false;

/**
 * Gives rows of an earlier version the entities that file them; where it has come to is kept, as one run may not see them all. It is done
 * after a whole pass in which there was nothing to file: beside it, instances of that version may still write rows that were filed.
 */
export const fileEarlier = async (
  table: TableClient,
  replace: Ledger['replace'],
  isOver: () => boolean,
  onFailure: (mailId: string, failure: unknown) => void,
): Promise<number> => {
  const kept = await readFiling(table);
  if (kept?.isDone) return 0;
  let filed = 0;
  let next = kept?.next ?? '';
  const pages = table.listEntities<Entity>().byPage(next === '' ? {} : { continuationToken: next });
  for await (const page of pages) {
    for (const entity of page) {
      const isRow = entity.row !== undefined && entity.rowKey !== undefined;
      if (!isRow || (entity.index !== undefined && entity.search !== undefined)) continue;
      try {
        const { row, etag } = toEntry(entity);
        if ((await replace(row, etag)) !== undefined) filed += 1;
      } catch (failure) {
        onFailure(entity.rowKey ?? '', failure);
      }
    }
    next = page.continuationToken ?? '';
    if (next === '' || isOver()) break;
  }
  const [partitionKey, rowKey] = FILING;
  const filedInPass = filed + (kept?.filed ?? 0);
  const isWhole = next === '';
  await table.upsertEntity<Filing>(
    {
      ...{ partitionKey, rowKey, next },
      isDone: isWhole && filedInPass === 0,
      filed: isWhole ? 0 : filedInPass,
    },
    'Replace',
  );
  return filed;
};
