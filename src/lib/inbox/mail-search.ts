import type { MailpitAddress, MailpitSummary } from './mailpit-shapes.ts';

export type SearchableMail = {
  readonly summary: MailpitSummary;
  readonly isRead: boolean;
  /** Everything a bare word is looked for in, lower case. */
  readonly words: string;
};

/**
 * Mailpit's search: words and "quoted phrases", all of which must be there; `from:` `to:` `cc:` `bcc:` `reply-to:`
 * `subject:` `tag:` look in one field; `is:read` `is:unread` `has:attachment`; `-` or `!` in front means "without".
 */
export const toMailFilter = (query: string): ((mail: SearchableMail) => boolean) => {
  const terms = [...query.toLowerCase().matchAll(/([-!]?)(?:([a-z-]+):)?(?:"([^"]*)"?|(\S+))/g)].map(
    ([whole, not, field, phrase, word]) => {
      const value = phrase ?? word ?? '';
      const look = field === undefined ? undefined : FIELDS[field];
      // An unknown field is not one: `http://...` and `ref:4711` are words to look for.
      const asWord = look === undefined && field !== undefined ? whole.slice(not?.length ?? 0) : value;
      return {
        wanted: not === '',
        matches: (mail: SearchableMail) => (look ? look(mail, value) : mail.words.includes(asWord)),
      };
    },
  );
  return (mail) => terms.every(({ wanted, matches }) => matches(mail) === wanted);
};

const FIELDS: Readonly<Record<string, (mail: SearchableMail, value: string) => boolean>> = {
  from: ({ summary }, value) => anyAddress([summary.From], value),
  to: ({ summary }, value) => anyAddress(summary.To, value),
  cc: ({ summary }, value) => anyAddress(summary.Cc, value),
  bcc: ({ summary }, value) => anyAddress(summary.Bcc, value),
  'reply-to': ({ summary }, value) => anyAddress(summary.ReplyTo, value),
  subject: ({ summary }, value) => summary.Subject.toLowerCase().includes(value),
  tag: ({ summary }, value) => summary.Tags.some((tag) => tag.toLowerCase() === value),
  is: ({ isRead }, value) => (value === 'read' && isRead) || (value === 'unread' && !isRead),
  has: ({ summary }, value) => value.startsWith('attachment') && summary.Attachments > 0,
};

const anyAddress = (addresses: readonly MailpitAddress[], value: string): boolean =>
  addresses.some(({ Name, Address }) => `${Name} ${Address}`.toLowerCase().includes(value));
