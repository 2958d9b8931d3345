import { defined } from '../defined.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import {
  prefixesOf,
  prefixOf,
  type SearchPlace,
  type SearchRange,
  type SearchState,
  type SearchTerm,
} from '../ledger/search-index.ts';
import type { Ports } from '../ports.ts';
import { toDeskStatus } from './desk-status.ts';
import type { MailStatus } from './mail-status.ts';

/** What is searched for; all of it together. */
export type MailQuery = {
  readonly state?: SearchState;
  /** As whom it was sent. */
  readonly sender?: string;
  readonly caller?: string;
  readonly tag?: string;
  readonly recipient?: string;
  readonly idempotencyKey?: string;
  readonly graphRequestId?: string;
  readonly internetMessageId?: string;
  /** Received at this time or later, and before that. */
  readonly from?: Date;
  readonly until?: Date;
};

export type MailPage = {
  /** Newest first. */
  readonly mails: readonly MailStatus[];
  /** Where the next page begins; a page can have fewer emails than fit, or none, and still have one. */
  readonly next?: SearchPlace;
  /** Emails of an earlier version of the relay are still being filed, so some may be missing. */
  readonly incomplete?: true;
};

/** How many emails of the most telling term are looked at for one page, where the others leave most of them out. */
const EXAMINED = 200;

/**
 * The terms of a search, the one that fits fewest emails first: an id or key is of one email, an address of some, a state of most.
 */
const termsOf = (query: MailQuery, hashes: Hashes): readonly [SearchTerm, ...SearchTerm[]] => {
  const { internetMessageId, graphRequestId, idempotencyKey, recipient, tag, sender, caller, state } = query;
  const [first, ...others] = [
    internetMessageId && ({ by: 'message-id', internetMessageId } as const),
    graphRequestId && ({ by: 'graph-request', id: graphRequestId } as const),
    idempotencyKey && ({ by: 'key', keyHash: hashes.hashOfKey(idempotencyKey) } as const),
    recipient && ({ by: 'recipient', addressHash: hashes.hashOfAddress(recipient) } as const),
    isRare(state) && ({ by: 'state', state } as const),
    tag && ({ by: 'tag', tag } as const),
    sender && ({ by: 'sender', address: sender } as const),
    caller && ({ by: 'caller', caller } as const),
    state && !isRare(state) && ({ by: 'state', state } as const),
  ].filter((term) => Boolean(term)) as SearchTerm[];
  return first === undefined ? [{ by: 'any' }] : [first, ...others];
};

/** Most emails are sent, or in a test environment captured; those of every other state are few. */
const isRare = (state: SearchState | undefined): state is SearchState =>
  state !== undefined && state !== 'sent' && state !== 'captured';

type Hashes = {
  readonly hashOfKey: (key: string) => string;
  readonly hashOfAddress: (address: string) => string;
};

export type SearchNeeds = Pick<Ports, 'ledger' | 'mailIndex' | 'readIdentity'>;

/** Finds emails, newest first, a page at a time: the costs are those of the page, whatever the ledger holds. Throws STORAGE_UNAVAILABLE. */
export const searchMail = async (
  { ledger, mailIndex, readIdentity }: SearchNeeds,
  query: MailQuery,
  { after, limit }: { readonly after?: SearchPlace | undefined; readonly limit: number },
): Promise<MailPage> => {
  const [term, ...others] = termsOf(query, await readIdentity());
  const prefixes = [term, ...others].map(prefixOf);
  const range: SearchRange = { from: query.from, until: query.until, after };
  const asked = others.length === 0 ? limit + 1 : EXAMINED;
  const [isFiling, places] = await Promise.all([mailIndex.isFiling(), mailIndex.list(term, range, asked)]);
  const rows: LedgerRow[] = [];
  let seen = 0;
  while (seen < places.length && rows.length < limit) {
    const some = places.slice(seen, seen + limit);
    const entries = await Promise.all(some.map(({ mailId }) => ledger.find(mailId)));
    for (const [at, entry] of entries.entries()) {
      if (rows.length === limit) break;
      seen += 1;
      if (entry !== undefined && isUnder(entry.row, prefixes, some[at])) rows.push(entry.row);
    }
  }
  const hasMore = seen < places.length || places.length === asked;
  return {
    mails: rows.map(toDeskStatus),
    ...defined({ next: hasMore ? places[seen - 1] : undefined }),
    ...(isFiling ? { incomplete: true as const } : {}),
  };
};

/** Whether the row has all of it now: it can have left a term since it was filed, and another can have the same digest. */
const isUnder = (row: LedgerRow, prefixes: readonly string[], place: SearchPlace | undefined): boolean => {
  const own = new Set(prefixesOf(row));
  return (
    prefixes.every((prefix) => own.has(prefix)) &&
    Date.parse(row.facts.acceptedAt) === place?.acceptedAt.getTime()
  );
};
