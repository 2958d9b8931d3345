import { explainBounce } from '../bounces/bounce-words.ts';
import { placeOf } from '../bounces/bounced-recipient.ts';
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
    deliveries: row.fate.deliveries.map((one) => toldDelivery(row.facts, one)),
  };
};

/** As the timeline of an email shows it, such as `report failed`. */
export const deliveryEvents = ({ facts, fate }: LedgerRow) =>
  (fate.state === 'sent' ? (fate.deliveries ?? []) : []).map(
    ({ at, status, source, code, recipient, isGuess }) => ({
      at,
      event: `${source} ${status}`,
      ...defined({ recipient: placeOf(facts, recipient), code, isGuess }),
    }),
  );

const toldDelivery = (facts: MailFacts, { recipient, ...news }: RecipientDelivery): ToldDelivery => {
  const place = placeOf(facts, recipient);
  const address = place === undefined ? undefined : facts.recipientAddresses?.[place - 1];
  const isExplained = news.status === 'failed' || (news.status === 'pending' && news.code !== undefined);
  return {
    ...defined({ recipient: place, address }),
    ...news,
    ...(isExplained ? explainBounce(news.code) : {}),
  };
};
