import type { ReceivedMessage } from '../bounces/received-message.ts';
import { deliveriesIn, type Report, toReport } from '../bounces/report.ts';
import { readReportContent } from '../bounces/report-content.ts';
import type { ReportKind } from '../bounces/report-kind.ts';
import { isFresh, type WaitingReport, type WatchedMailbox } from '../bounces/watched-mailbox.ts';
import { defined } from '../defined.ts';
import { isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { addressKey } from '../mail/address.ts';
import type { MailboxTrouble, Ports } from '../ports.ts';
import { type MatchedBy, type NewsNeeds, recordNews } from './record-news.ts';

export type SettleNeeds = NewsNeeds & Pick<Ports, 'receivedMail' | 'mailIndex' | 'readIdentity'>;

/**
 * How many reports of a mailbox may still be looked for in the index of the ledger, in one poll. Anybody can send reports, and each of
 * these is one query for each partition.
 */
export type Searches = { left: number };
export const MOST_SEARCHES = 40;

/** What became of a report. What is not settled is looked at again. */
export type Settled =
  | { readonly kind: 'recorded' | 'known' | 'unmatched' | 'not-yet' }
  | { readonly kind: 'waits'; readonly waiting: WaitingReport }
  | MailboxTrouble;

/** An email that a report can be about, and why. */
type Match = { readonly row: LedgerRow; readonly matchedBy: MatchedBy; readonly internetMessageId?: string };

/** Of an id that someone else has written, only these are looked for. */
const MOST_LOOK_UPS = 2;
/** A report comes within days; a guess must not reach further back than a server keeps trying. */
const GUESS_MS = 5 * 86_400_000;
/** Graph gives times to the second, by the clock of Exchange. */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Reads a report, finds the email that it is about, and records what it says. The best proof comes first, and of equal ones the
 * cheapest: the header of the relay in what the report returns costs nothing, Sent Items a request, the index of the ledger one query
 * for each of its partitions. Throws STORAGE_UNAVAILABLE.
 */
export const settleReport = async (
  needs: SettleNeeds,
  mailbox: WatchedMailbox,
  message: ReceivedMessage,
  kind: Exclude<ReportKind, 'receipt'>,
  searches: Searches,
): Promise<Settled> => {
  const mime = await needs.receivedMail.readMime(mailbox.address, mailbox.route, message.id);
  if (mime.kind === 'absent') return { kind: 'unmatched' };
  if (mime.kind !== 'mime') return mime;
  const report = toReport(message, kind, await readReportContent(mime.text));
  if (report.recipients.length === 0) return { kind: 'unmatched' };
  const { hashOfAddress } = await needs.readIdentity();
  const match = await findMatch(needs, mailbox, report, searches);
  if (match !== undefined && 'kind' in match) return match;
  if (match !== undefined) return settle(needs, match, report, hashOfAddress);
  // The copy in Sent Items can be later than the report.
  if (isFresh(message.receivedAt, needs.clock.now())) return { kind: 'not-yet' };
  const guess = mayStill(searches) ? await guessMatch(needs, mailbox, report, hashOfAddress) : undefined;
  return guess === undefined ? { kind: 'unmatched' } : settle(needs, guess, report, hashOfAddress);
};

const settle = async (
  needs: SettleNeeds,
  { row, ...how }: Match,
  report: Report,
  hashOf: (address: string) => string,
): Promise<Settled> => {
  const { mailId } = row.facts;
  if (row.progress.redirected) {
    // It went to the address of a test environment alone, which can be one of its recipients by chance.
    if (how.matchedBy === 'recipient') return { kind: 'unmatched' };
    for (const { status, code } of report.recipients)
      needs.log({ event: 'RedirectReported', mailId, status, ...defined({ code }) });
    return { kind: 'known' };
  }
  const deliveries = deliveriesIn(report, row, hashOf, { isGuess: how.matchedBy === 'recipient' });
  if (deliveries.length === 0) return { kind: 'unmatched' };
  switch (await recordNews(needs, { mailId, deliveries, ...how })) {
    case 'recorded':
      return { kind: 'recorded' };
    case 'known':
      return { kind: 'known' };
    case 'never-sent':
      return { kind: 'unmatched' };
    case 'not-sent-yet':
      return { kind: 'waits', waiting: { mailId, receivedAt: report.reportedAt.toISOString(), deliveries } };
    case 'beaten':
      return { kind: 'not-now', waitMs: 0 };
  }
};

const findMatch = async (
  needs: SettleNeeds,
  { address, route }: WatchedMailbox,
  { mailId, messageIds }: Report,
  searches: Searches,
): Promise<Match | MailboxTrouble | undefined> => {
  if (mailId !== undefined) {
    const row = (await needs.ledger.find(mailId))?.row;
    if (row !== undefined) return { row, matchedBy: 'header' };
  }
  const ids = messageIds.slice(0, MOST_LOOK_UPS);
  for (const internetMessageId of ids) {
    const copy = await needs.receivedMail.findSent(address, route, internetMessageId);
    if (copy.kind === 'not-now' || copy.kind === 'cannot-tell') return copy;
    const row = copy.kind === 'found' ? (await needs.ledger.find(copy.mailId))?.row : undefined;
    if (row !== undefined) return { row, matchedBy: 'sent-items', internetMessageId };
  }
  const [internetMessageId] = ids;
  if (internetMessageId !== undefined && mayStill(searches)) {
    const [place] = await needs.mailIndex.list({ by: 'message-id', internetMessageId }, ANY_TIME, 1);
    const row = place && (await needs.ledger.find(place.mailId))?.row;
    // By its digest, another one can stand there.
    if (row !== undefined && messageIdOf(row) === internetMessageId) return { row, matchedBy: 'message-id' };
  }
  return undefined;
};

const mayStill = (searches: Searches): boolean => {
  searches.left -= 1;
  return searches.left >= 0;
};

const ANY_TIME = { from: undefined, until: undefined, after: undefined } as const;

const messageIdOf = ({ fate, progress }: LedgerRow): string | undefined =>
  (fate.state === 'sent' ? fate.internetMessageId : undefined) ?? progress.draft?.internetMessageId;

/** The only email that this mailbox has sent to this recipient in the days before. Of two, nobody can say which. */
const guessMatch = async (
  { ledger, mailIndex }: SettleNeeds,
  { address }: WatchedMailbox,
  { recipients, reportedAt }: Report,
  hashOf: (address: string) => string,
): Promise<Match | undefined> => {
  const [recipient] = recipients[0]?.addresses ?? [];
  if (recipient === undefined) return undefined;
  const reported = reportedAt.getTime();
  const range = {
    from: new Date(reported - GUESS_MS),
    until: new Date(reported + CLOCKS_DIFFER_MS),
    after: undefined,
  };
  const places = await mailIndex.list({ by: 'recipient', addressHash: hashOf(recipient) }, range, 10);
  const rows = await Promise.all(places.map(async ({ mailId }) => (await ledger.find(mailId))?.row));
  const own = rows.filter(
    (row) => row !== undefined && isIn(row, 'sent') && addressKey(row.facts.sender) === addressKey(address),
  );
  const [row] = own;
  return own.length === 1 && row !== undefined ? { row, matchedBy: 'recipient' } : undefined;
};
