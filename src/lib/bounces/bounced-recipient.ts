import { defined } from '../defined.ts';
import type { MailFacts, RecipientDelivery } from '../ledger/ledger-row.ts';

/** A recipient as people are told of it: by its place among to, cc and bcc, from 1, and by its address where the ledger keeps it. */
export type ToldRecipient = {
  readonly place: number;
  readonly of: number;
  readonly address?: string;
  readonly code?: string;
};

/** Its places from 1: two where the address is in to and cc. None for an email from before the ledger kept recipients. */
export const placesOf = ({ recipientHashes = [] }: MailFacts, recipient: string): readonly number[] =>
  recipientHashes.flatMap((hash, index) => (hash === recipient ? [index + 1] : []));

/** The recipients of these deliveries, in the order of the email. */
export const toldRecipients = (
  facts: MailFacts,
  deliveries: readonly RecipientDelivery[],
): readonly ToldRecipient[] =>
  deliveries
    .flatMap(({ recipient, code }) =>
      placesOf(facts, recipient).map((place) => ({
        place,
        of: facts.recipients,
        ...defined({ address: facts.recipientAddresses?.[place - 1], code }),
      })),
    )
    .sort((one, other) => one.place - other.place);
