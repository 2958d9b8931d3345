import { randomUUID } from 'node:crypto';
import type { TableEntityResult } from '@azure/data-tables';
import { readRow } from '../ledger/earlier-row.ts';
import { indexKeyOf } from '../ledger/ledger-index.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import { searchKeyOf } from '../ledger/search-index.ts';
import type { LedgerEntry } from '../ports.ts';
import { fromColumns, toColumns } from './json-columns.ts';

/** The row as a whole is JSON, in as many columns as it takes. */
export type Entity = {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** For people who look at the table. */
  readonly state: string;
  /** The key of its index entity, which is in the same partition and written in the same transaction. */
  readonly index: string;
  /** The prefixes of its search entities, which are in the same partition too, and the time in their keys. */
  readonly search: string;
  readonly acceptedAt: string;
  /** Of this write alone: by it a write whose answer was lost is known again when the SDK has repeated it. */
  readonly write: string;
  readonly row: string;
  readonly [more: `row${number}`]: string;
};

export const PARTITIONS = 256;

/** The end of an id is random, its beginning is the time: so writes spread over 256 partitions. */
export const partitionOf = (mailId: string): string => mailId.slice(-2);

export const partitionNamed = (number: number): string => (number % PARTITIONS).toString(16).padStart(2, '0');

/** The entity of a row whose search entities have these prefixes. */
export const toEntity = (row: LedgerRow, prefixes: readonly string[]): Entity => ({
  partitionKey: partitionOf(row.facts.mailId),
  rowKey: row.facts.mailId,
  state: row.fate.state,
  index: indexKeyOf(row),
  search: prefixes.join(' '),
  acceptedAt: row.facts.acceptedAt,
  write: randomUUID(),
  row: '',
  ...toColumns('row', JSON.stringify(row)),
});

/** An index entity says all it has to say by its key. */
export type KeyOnly = { readonly partitionKey: string; readonly rowKey: string };

export const searchEntityOf = ({ facts }: LedgerRow, prefix: string): KeyOnly => ({
  partitionKey: partitionOf(facts.mailId),
  rowKey: searchKeyOf(prefix, { acceptedAt: new Date(facts.acceptedAt), mailId: facts.mailId }),
});

/** The keys of the search entities that the entity of a row names. */
export const searchKeysOf = ({
  rowKey,
  search,
  acceptedAt,
}: Partial<Pick<Entity, 'rowKey' | 'search' | 'acceptedAt'>>): readonly string[] =>
  search
    ? search
        .split(' ')
        .map((prefix) =>
          searchKeyOf(prefix, { acceptedAt: new Date(acceptedAt ?? ''), mailId: rowKey ?? '' }),
        )
    : [];

/** The version a row was read at: its ETag, and the entities beside it that file it. */
export type Version = {
  readonly index: string;
  readonly prefixes: readonly string[];
  readonly etag: string;
};

export const toVersion = (
  etag: string,
  { index, search }: Partial<Pick<Entity, 'index' | 'search'>>,
): string => `${index ?? ''} ${(search ?? '').replaceAll(' ', ',')} ${etag}`;

export const fromVersion = (version: string): Version => {
  const [index = '', search = '', ...etag] = version.split(' ');
  return { index, prefixes: search === '' ? [] : search.split(','), etag: etag.join(' ') };
};

/** Rows of an earlier version have no index entity, or no search entities. */
export const toEntry = (entity: TableEntityResult<Entity>): LedgerEntry => ({
  row: readRow(fromColumns('row', entity)),
  etag: toVersion(entity.etag, entity),
});
