import { explainBounce } from '../bounces/bounce-words.ts';
import { placesOf } from '../bounces/bounced-recipient.ts';
import { defined } from '../defined.ts';
import { isBounced, type LedgerRow, type MailFacts, type RecipientDelivery } from '../ledger/ledger-row.ts';

/** What is known of one recipient after Exchange accepted the email, in the words of the API. */
export type ToldDelivery = Omit<RecipientDelivery, 'recipient'> & {
  /** Its place among the recipients to, cc and bcc, from 1. */
  readonly recipient?: number;
  /** Where the ledger keeps addresses. */
  readonly address?: string;
  readonly kind?: 'permanent' | 'temporary';
  readonly cause?: string;
  readonly remedy?: string;
};

/** Whether it bounced, and what is known of its recipients; nothing where nothing is known. */
export const toldDeliveries = (
  row: LedgerRow,
): { readonly bounced?: true; readonly deliveries?: readonly ToldDelivery[] } => {
  if (row.fate.state !== 'sent' || row.fate.deliveries === undefined) return {};
  return {
    ...(isBounced(row) ? { bounced: true as const } : {}),
    deliveries: row.fate.deliveries.flatMap((one) => toldAtEachPlace(row.facts, one)),
  };
};

/** As the timeline of an email shows it, such as `report failed`. */
export const deliveryEvents = ({ facts, fate }: LedgerRow) =>
  (fate.state === 'sent' ? (fate.deliveries ?? []) : []).flatMap(
    ({ at, status, source, code, recipient: hash, isGuess }) =>
      knownPlaces(facts, hash).map((recipient) => ({
        at,
        event: `${source} ${status}`,
        ...defined({ recipient, code, isGuess }),
      })),
  );

/** Its places; where they are not known, one that nothing is said of. */
const knownPlaces = (facts: MailFacts, hash: string): readonly (number | undefined)[] => {
  const places = placesOf(facts, hash);
  return places.length === 0 ? [undefined] : places;
};

const toldAtEachPlace = (
  facts: MailFacts,
  { recipient: hash, ...news }: RecipientDelivery,
): readonly ToldDelivery[] => {
  const isExplained = news.status === 'failed' || (news.status === 'pending' && news.code !== undefined);
  return knownPlaces(facts, hash).map((recipient) => ({
    ...defined({
      recipient,
      address: recipient === undefined ? undefined : facts.recipientAddresses?.[recipient - 1],
    }),
    ...news,
    ...(isExplained ? explainBounce(news.code) : {}),
  }));
};
