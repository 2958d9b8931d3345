import { explainBounce } from '../bounces/bounce-words.ts';
import { defined } from '../defined.ts';
import { isFinal, isIn, type RecipientDelivery, type Row, type Sent } from '../ledger/ledger-row.ts';
import { recordDeliveries, recordMessageId } from '../ledger/transitions.ts';
import type { Ports } from '../ports.ts';
import { announceDeliveries } from './announce.ts';
import type { makeTellOwner } from './tell-owner-of-bounce.ts';

/** How a report was found to be about an email. */
export type MatchedBy = 'header' | 'sent-items' | 'message-id' | 'recipient';

export type NewsNeeds = Pick<Ports, 'ledger' | 'events' | 'clock' | 'log'> & {
  /** Tells the owner of the caller of those who certainly did not get it, where that is wanted. */
  readonly tellOwner?: ReturnType<typeof makeTellOwner>;
};

export type News = {
  readonly mailId: string;
  readonly deliveries: readonly RecipientDelivery[];
  readonly matchedBy: MatchedBy;
  /** With which the email was found in Sent Items. */
  readonly internetMessageId?: string;
};

/** Beaten so often, it is left to the next poll. */
const MOST_TRIES = 4;

/**
 * Writes what was learned of recipients into the row of their email. Who asked to be told is told before the row says it, so that a
 * crash in between means telling it twice, under the same ids; the log counts what the row has, so of two instances one counts.
 * Throws STORAGE_UNAVAILABLE.
 */
export const recordNews = async (
  needs: NewsNeeds,
  news: News,
): Promise<'recorded' | 'known' | 'not-sent-yet' | 'never-sent' | 'beaten'> => {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const entry = await needs.ledger.find(news.mailId);
    if (entry === undefined) return 'never-sent';
    const { row, etag } = entry;
    if (!isIn(row, 'sent')) return isFinal(row) ? 'never-sent' : 'not-sent-yet';
    const next = withMessageId(recordDeliveries(row, news.deliveries), news.internetMessageId);
    const changed = changesIn(row, next);
    if (changed.length === 0) return 'known';
    const failed = changed.filter(({ status, isGuess = false }) => status === 'failed' && !isGuess);
    await announceDeliveries(
      needs,
      next,
      changed.filter(({ isGuess = false }) => !isGuess),
    );
    if (failed.length > 0) await needs.tellOwner?.(row, next, failed);
    if ((await needs.ledger.replace(next, etag)) === undefined) continue;
    tell(needs, next, changed, news.matchedBy);
    return 'recorded';
  }
  return 'beaten';
};

const withMessageId = (row: Row<Sent>, internetMessageId: string | undefined): Row<Sent> =>
  internetMessageId === undefined || row.fate.internetMessageId !== undefined
    ? row
    : recordMessageId(row, internetMessageId);

/** What the row says of a recipient that it did not say before. A second report of the same failure is no news. */
const changesIn = (before: Row<Sent>, after: Row<Sent>): readonly RecipientDelivery[] => {
  const known = new Map((before.fate.deliveries ?? []).map((one) => [one.recipient, one]));
  return (after.fate.deliveries ?? []).filter((one) => {
    const earlier = known.get(one.recipient);
    return earlier?.status !== one.status || (earlier.isGuess ?? false) !== (one.isGuess ?? false);
  });
};

/** One line for all recipients of which a report says the same: an email can have 500, and a report of a list names each of them. */
const tell = (
  { log }: NewsNeeds,
  { facts }: Row<Sent>,
  changed: readonly RecipientDelivery[],
  matchedBy: MatchedBy,
): void => {
  const { mailId, caller } = facts;
  const alike = Map.groupBy(changed, ({ status, code = '', isGuess = false }) =>
    [status, code, isGuess].join(' '),
  );
  for (const { 0: one, length: recipients } of alike.values()) {
    if (one === undefined) continue;
    const { status, code, isGuess } = one;
    const known = { mailId, caller, matchedBy, recipients, ...defined({ code, isGuess }) };
    if (status === 'failed') log({ event: 'MailBounced', ...known, kind: explainBounce(code).kind });
    else log({ event: 'MailReported', ...known, status });
  }
};
