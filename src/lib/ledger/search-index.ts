import { hash } from 'node:crypto';
import { isBounced, type LedgerRow, type MailState } from './ledger-row.ts';

/*
 * By what emails are found, newest first. Beside its row, each email has one entity for each of its terms; the key is the term, then the
 * time counted backwards, then the id. So a search is one range of keys in each partition, whatever the ledger holds.
 */

/** A state to search for; `bounced` is told beside `sent`. */
export type SearchState = MailState | 'bounced';

/** What an email can be found by. */
export type SearchTerm =
  | { readonly by: 'any' }
  | { readonly by: 'state'; readonly state: SearchState }
  | { readonly by: 'sender'; readonly address: string }
  | { readonly by: 'caller'; readonly caller: string }
  | { readonly by: 'tag'; readonly tag: string }
  /** By the keyed hash of the address. */
  | { readonly by: 'recipient'; readonly addressHash: string }
  /** By the keyed hash of the idempotency key. */
  | { readonly by: 'key'; readonly keyHash: string }
  | { readonly by: 'graph-request'; readonly id: string }
  | { readonly by: 'message-id'; readonly internetMessageId: string };

/** 72 bits; whoever reads the row sees whether it is what was searched for. */
const LETTERS = 12;
const digest = (text: string): string => hash('sha256', text, 'base64url').slice(0, LETTERS);

const KEY_FORM = 'k1.'.length;

/** The part of a search key that says by what, without what a key of a table must not have. */
export const prefixOf = (term: SearchTerm): string => {
  switch (term.by) {
    case 'any':
      return 'any';
    case 'state':
      return `state.${term.state}`;
    case 'sender':
      return `sender.${digest(term.address.toLowerCase())}`;
    case 'caller':
      return `caller.${digest(term.caller)}`;
    case 'tag':
      return `tag.${digest(term.tag)}`;
    case 'recipient':
      return `to.${term.addressHash}`;
    case 'key':
      return `key.${term.keyHash.slice(KEY_FORM, KEY_FORM + LETTERS)}`;
    case 'graph-request':
      return `graph.${digest(term.id.toLowerCase())}`;
    case 'message-id':
      return `message.${digest(withBrackets(term.internetMessageId))}`;
  }
};

/** A Message-ID as headers have it, also where somebody left the brackets out. */
const withBrackets = (messageId: string): string => `<${messageId.trim().replace(/^<|>$/g, '')}>`;

/** Every term an email is found by now, the recipients last: there can be very many of them. */
const termsOf = (row: LedgerRow): readonly SearchTerm[] => {
  const { facts, progress, fate } = row;
  const requestIds = [
    ...progress.attempts.map(({ graphRequestId }) => graphRequestId),
    fate.state === 'sent' ? fate.graphRequestId : undefined,
  ].filter((id) => id !== undefined);
  return [
    { by: 'any' },
    { by: 'state', state: fate.state },
    ...(isBounced(row) ? [{ by: 'state', state: 'bounced' } as const] : []),
    ...(facts.sender === '' ? [] : [{ by: 'sender', address: facts.sender } as const]),
    { by: 'caller', caller: facts.caller },
    ...(facts.keyHash === undefined ? [] : [{ by: 'key', keyHash: facts.keyHash } as const]),
    ...(fate.state === 'sent' && fate.internetMessageId !== undefined
      ? [{ by: 'message-id', internetMessageId: fate.internetMessageId } as const]
      : []),
    ...requestIds.map((id) => ({ by: 'graph-request', id }) as const),
    ...facts.tags.map((tag) => ({ by: 'tag', tag }) as const),
    ...(facts.recipientHashes ?? []).map((addressHash) => ({ by: 'recipient', addressHash }) as const),
  ];
};

/** The prefixes of all keys that an email has, each once. */
export const prefixesOf = (row: LedgerRow): readonly string[] => [...new Set(termsOf(row).map(prefixOf))];

/** Where an email stands in a list that is newest first. */
export type SearchPlace = { readonly acceptedAt: Date; readonly mailId: string };

/** Apart from the keys of rows, which are hexadecimal, and from those of the shelves, which have no dot before the first `!`. */
const MARK = 'by.';
/** Counting backwards from here, the newest comes first; enough until the year 2286. */
const END_OF_TIME = 9_999_999_999_999;
const DIGITS = 13;

const backwards = (ms: number): string =>
  String(Math.min(Math.max(END_OF_TIME - ms, 0), END_OF_TIME)).padStart(DIGITS, '0');

/** The key under which an email is found by this prefix. */
export const searchKeyOf = (prefix: string, { acceptedAt, mailId }: SearchPlace): string =>
  `${MARK}${prefix}!${backwards(acceptedAt.getTime())}!${mailId}`;

/** What is searched: received at `from` or later, before `until`, and after a place in the list. */
export type SearchRange = {
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  readonly after?: SearchPlace | undefined;
};

/** The keys of everything in a range: more than `above` and less than `below`. */
export const searchKeysIn = (
  prefix: string,
  { from, until, after }: SearchRange,
): { readonly above: string; readonly below: string } => {
  const start = `${MARK}${prefix}!`;
  // A key of this time without an id: below every key of the time itself, and above those of all later times.
  const ofUntil = until === undefined ? start : `${start}${backwards(until.getTime() - 1)}`;
  const ofAfter = after === undefined ? start : searchKeyOf(prefix, after);
  return {
    above: [ofAfter, ofUntil].sort().at(-1) ?? start,
    below: `${start}${from === undefined ? '~' : `${backwards(from.getTime())}~`}`,
  };
};

/** Undefined for what is no key of a search. */
export const placeOf = (key: string): SearchPlace | undefined => {
  const [prefix = '', time = '', mailId = ''] = key.split('!');
  if (!prefix.startsWith(MARK) || !/^\d{13}$/.test(time) || mailId === '') return undefined;
  return { acceptedAt: new Date(END_OF_TIME - Number(time)), mailId };
};

/** Newest first; of the same moment by id. */
export const inOrder = (one: SearchPlace, other: SearchPlace): number =>
  other.acceptedAt.getTime() - one.acceptedAt.getTime() || (one.mailId < other.mailId ? -1 : 1);
