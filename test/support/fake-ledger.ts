import { indexKeyOf, keysBefore } from '../../src/lib/ledger/ledger-index.ts';
import { isFinal, isUntold, type LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import {
  inOrder,
  placeOf,
  prefixesOf,
  prefixOf,
  searchKeyOf,
  searchKeysIn,
} from '../../src/lib/ledger/search-index.ts';
import type { Ledger, LedgerEntry, MailIndex } from '../../src/lib/ports.ts';
import { saveMap } from './save.ts';

type Synchronous<Call> = Call extends (...inputs: infer Inputs) => Promise<infer Value>
  ? (...inputs: Inputs) => Value
  : never;

/** The ledger in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeLedger = {
  readonly [Name in 'find' | 'expire' | 'forget' | 'fileEarlier']: Synchronous<Ledger[Name]>;
} & {
  readonly create: <Its extends LedgerRow>(row: Its) => LedgerEntry<Its> | undefined;
  readonly replace: <Its extends LedgerRow>(row: Its, etag: string) => LedgerEntry<Its> | undefined;
  readonly listOpen: (...which: Parameters<Ledger['listOpen']>) => readonly string[];
  readonly rows: () => readonly LedgerRow[];
  readonly save: () => () => void;
  /** With their versions, by id. */
  readonly entries: () => readonly LedgerEntry[];
  /** By what its emails are found. */
  readonly search: Synchronous<MailIndex['list']>;
};

/** The fake index decides at once; the port promises. */
export const asMailIndex = ({ search }: FakeLedger): MailIndex => ({
  list: async (...which) => search(...which),
  isFiling: async () => false,
});

/** `onWrite` sees every row that is written, beside the one it takes the place of. */
export const makeFakeLedger = (
  onWrite: (row: LedgerRow, before: LedgerRow | undefined) => void = () => undefined,
): FakeLedger => {
  const entries = new Map<string, LedgerEntry>();
  const versions = new Map<string, number>();

  const write = <Its extends LedgerRow>(row: Its): LedgerEntry<Its> => {
    const { mailId } = row.facts;
    onWrite(row, entries.get(mailId)?.row);
    const version = (versions.get(mailId) ?? 0) + 1;
    versions.set(mailId, version);
    // Through JSON, as the table does it: nothing that only lives in memory may be relied on.
    const entry = { row: JSON.parse(JSON.stringify(row)) as Its, etag: `"${version}"` };
    entries.set(mailId, entry);
    return entry;
  };
  return {
    find: (mailId) => entries.get(mailId),
    create: (row) => (entries.has(row.facts.mailId) ? undefined : write(row)),
    replace: (row, etag) => (entries.get(row.facts.mailId)?.etag === etag ? write(row) : undefined),
    listOpen: (shelf, before, _turn, isOver) => {
      const { from, to } = keysBefore(shelf, before);
      return (isOver() ? [] : [...entries.values()]).flatMap(({ row }) => {
        const key = indexKeyOf(row);
        return key >= from && key < to ? [row.facts.mailId] : [];
      });
    },
    expire: (before, _turn, isOver) => {
      let expired = 0;
      for (const { row } of [...entries.values()]) {
        const day = row.progress.updatedAt.slice(0, 10);
        if (isOver() || !isFinal(row) || isUntold(row) || day >= before.toISOString().slice(0, 10)) continue;
        entries.delete(row.facts.mailId);
        expired += 1;
      }
      return expired;
    },
    forget: ({ facts: { mailId } }, etag) => entries.get(mailId)?.etag === etag && entries.delete(mailId),
    fileEarlier: () => 0,
    search: (term, range, limit) => {
      const { above, below } = searchKeysIn(prefixOf(term), range);
      return [...entries.values()]
        .filter(({ row }) => prefixesOf(row).includes(prefixOf(term)))
        .map(({ row: { facts } }) =>
          searchKeyOf(prefixOf(term), { acceptedAt: new Date(facts.acceptedAt), mailId: facts.mailId }),
        )
        .flatMap((key) => (key > above && key < below ? (placeOf(key) ?? []) : []))
        .sort(inOrder)
        .slice(0, limit);
    },
    rows: () => [...entries.values()].map(({ row }) => row),
    save: () => {
      const back = [saveMap(entries), saveMap(versions)];
      return () => {
        for (const restore of back) restore();
      };
    },
    entries: () =>
      [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry),
  };
};
