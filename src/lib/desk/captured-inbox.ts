import { type CapturedRecord, toInboxMail } from '../inbox/captured-record.ts';
import type { InboxStore, MailPage } from '../inbox/inbox-store.ts';
import { toMailFilter } from '../inbox/mail-search.ts';
import type { MailpitSummary } from '../inbox/mailpit-shapes.ts';
import { dueFrom, isIn } from '../ledger/ledger-row.ts';
import { isMailId } from '../ledger/mail-id.ts';
import type { CapturedPlace, Ports } from '../ports.ts';

export type CapturedInboxNeeds = Pick<Ports, 'captured' | 'ledger' | 'clock'>;

/** A list of Storage has at most so many, and its names and summaries some megabytes: older emails are not shown. */
const MOST_LISTED = 1000;
/** Azure ends a request after 230 s. */
const BUDGET_MS = 120_000;

/** The captured emails as the inbox asks for them. Which were read is not kept: all count as read. */
export const openCapturedInbox = ({ captured, ledger, clock }: CapturedInboxNeeds): InboxStore => {
  /** The row says where its email is. */
  const placeOf = async (id: string): Promise<CapturedPlace | undefined> => {
    const row = isMailId(id) ? (await ledger.find(id.toLowerCase()))?.row : undefined;
    return row !== undefined && isIn(row, 'captured')
      ? { mailId: row.facts.mailId, dueFrom: dueFrom(row) }
      : undefined;
  };
  const listed = async (): Promise<readonly MailpitSummary[]> => {
    const found: MailpitSummary[] = [];
    for await (const summary of captured.list()) {
      found.push(summary);
      if (found.length === MOST_LISTED) break;
    }
    return found;
  };
  return {
    list: async ({
      start = 0,
      limit = Number.POSITIVE_INFINITY,
      search = '',
      timeZone,
    } = {}): Promise<MailPage> => {
      const matches = search.trim() === '' ? undefined : toMailFilter(search, timeZone);
      const all = (await listed()).map((summary) => ({ summary, isRead: true, words: wordsOf(summary) }));
      const matching = matches ? all.filter(matches) : all;
      return {
        mails: matching.slice(start, start + limit),
        matching: matching.length,
        matchingUnread: 0,
        total: all.length,
        unread: 0,
      };
    },
    find: async (id) => {
      const place = await placeOf(id);
      const record: CapturedRecord | undefined = place && (await captured.read(place));
      return record && toInboxMail(record);
    },
    markRead: async () => undefined,
    remove: async (ids) => {
      for (const id of new Set(ids)) {
        const place = await placeOf(id);
        if (place !== undefined) await captured.delete(place);
      }
    },
    clear: () => {
      const until = clock.now().getTime() + BUDGET_MS;
      return captured.clear(() => clock.now().getTime() >= until);
    },
  };
};

const wordsOf = ({
  ID,
  MessageID,
  Subject,
  From,
  To,
  Cc,
  Bcc,
  ReplyTo,
  Tags,
  Snippet,
}: MailpitSummary): string =>
  [
    ID,
    MessageID,
    Subject,
    ...[From, ...To, ...Cc, ...Bcc, ...ReplyTo].map(({ Name, Address }) => `${Name} ${Address}`),
    ...Tags,
    Snippet,
  ]
    .join('\n')
    .toLowerCase();
