import { InboxProblem } from './inbox-problem.ts';
import type { MailpitAddress, MailpitSummary } from './mailpit-shapes.ts';
import { readSize, readTime } from './search-value.ts';

type SearchableMail = {
  readonly summary: MailpitSummary;
  readonly isRead: boolean;
  /** Everything a bare word is looked for in, lower case. */
  readonly words: string;
};

type Matches = (mail: SearchableMail) => boolean;

/**
 * Mailpit's search: words and "quoted phrases", all of which must be there; a field and a colon look in one place, and `-` or `!` in
 * front means "without". A value that cannot be read is an InboxProblem: without it, a search that deletes would find more.
 */
export const toMailFilter = (query: string, timeZone?: string): Matches => {
  const terms = [...query.toLowerCase().matchAll(/([-!]?)(?:([a-z-]+):)?(?:"([^"]*)"?|(\S+))/g)].map(
    ([whole, not, field, phrase, word]) => {
      const value = phrase ?? word ?? '';
      const look = field === undefined ? undefined : FIELDS.get(field);
      // An unknown field is not one: `http://...` and `ref:4711` are words to look for.
      const asWord = look === undefined && field !== undefined ? whole.slice(not?.length ?? 0) : value;
      const matches: Matches = look ? look(value, timeZone) : ({ words }) => words.includes(asWord);
      return { wanted: not === '', matches };
    },
  );
  return (mail) => terms.every(({ wanted, matches }) => matches(mail) === wanted);
};

type Field = (value: string, timeZone: string | undefined) => Matches;

const inAddresses =
  (addressesOf: (summary: MailpitSummary) => readonly MailpitAddress[]): Field =>
  (value) =>
  ({ summary }) =>
    addressesOf(summary).some(({ Name, Address }) => `${Name} ${Address}`.toLowerCase().includes(value));

/** One of a few words. */
const oneOf =
  (field: string, meanings: Readonly<Record<string, Matches>>): Field =>
  (value) => {
    const meaning = Object.entries(meanings).find(([word]) => word === value)?.[1];
    if (meaning) return meaning;
    throw new InboxProblem(
      400,
      `"${field}:": expected ${Object.keys(meanings).join(', ')}, received ${JSON.stringify(value)}.`,
    );
  };

const withFiles: Matches = ({ summary }) => summary.Attachments > 0;
const withInlines: Matches = ({ summary }) => (summary.Inlines ?? 0) > 0;

const bare = (id: string): string => id.replace(/^<|>$/g, '');

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['from', inAddresses(({ From }) => [From])],
  ['to', inAddresses(({ To }) => To)],
  ['cc', inAddresses(({ Cc }) => Cc)],
  ['bcc', inAddresses(({ Bcc }) => Bcc)],
  ['reply-to', inAddresses(({ ReplyTo }) => ReplyTo)],
  ['addressed', inAddresses(({ From, To, Cc, Bcc, ReplyTo }) => [From, ...To, ...Cc, ...Bcc, ...ReplyTo])],
  [
    'subject',
    (value) =>
      ({ summary }) =>
        summary.Subject.toLowerCase().includes(value),
  ],
  [
    'message-id',
    (value) =>
      ({ summary }) =>
        summary.MessageID.toLowerCase().includes(bare(value)),
  ],
  // Not of Mailpit: the id of the inbox, or of the relay.
  [
    'id',
    (value) =>
      ({ summary }) =>
        [summary.ID, summary.RelayID ?? ''].some((id) => id.toLowerCase().includes(value)),
  ],
  [
    'tag',
    (value) =>
      ({ summary }) =>
        summary.Tags.some((tag) => tag.toLowerCase() === value),
  ],
  [
    'is',
    oneOf('is', {
      read: ({ isRead }) => isRead,
      unread: ({ isRead }) => !isRead,
      tagged: ({ summary }) => summary.Tags.length > 0,
    }),
  ],
  [
    'has',
    oneOf('has', {
      attachment: withFiles,
      attachments: withFiles,
      inline: withInlines,
      inlines: withInlines,
    }),
  ],
  [
    'after',
    (value, timeZone) => {
      const time = readTime('after', value, timeZone);
      return ({ summary }) => Date.parse(summary.Created) >= time;
    },
  ],
  [
    'before',
    (value, timeZone) => {
      const time = readTime('before', value, timeZone);
      return ({ summary }) => Date.parse(summary.Created) <= time;
    },
  ],
  [
    'larger',
    (value) => {
      const bytes = readSize('larger', value);
      return ({ summary }) => summary.Size > bytes;
    },
  ],
  [
    'smaller',
    (value) => {
      const bytes = readSize('smaller', value);
      return ({ summary }) => summary.Size < bytes;
    },
  ],
]);
