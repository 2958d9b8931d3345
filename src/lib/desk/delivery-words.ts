import { explainBounce } from '../bounces/bounce-words.ts';
import { defined } from '../defined.ts';
import type { InState, RecipientDelivery } from '../ledger/ledger-row.ts';
import { isOverdueInTrace, recipientsOf } from './trace-due.ts';

/** What is known of a recipient of an email that Exchange took. */
export type RecipientStatus = {
  /** Its place among the recipients to, cc and bcc, from 1; absent for an email of an earlier version of the relay. */
  readonly recipient?: number;
  /** Where the ledger keeps addresses. */
  readonly address?: string;
  readonly status: RecipientDelivery['status'] | 'not-asked' | 'unseen' | 'missing';
  readonly meaning: string;
  readonly source?: RecipientDelivery['source'];
  readonly at?: string;
  readonly code?: string;
  readonly kind?: 'permanent' | 'temporary';
  readonly cause?: string;
  readonly remedy?: string;
  readonly isGuess?: true;
};

const MEANINGS: Readonly<Record<RecipientStatus['status'], string>> = {
  delivered:
    'The mail server of the recipient accepted the email. That says neither that it was read nor that it is in the inbox, and a non-delivery report can still come.',
  pending: 'Exchange has not delivered the email yet, and is trying.',
  failed: 'The email could not be delivered to this recipient.',
  quarantined: 'The email is in quarantine, from which an administrator or the recipient can release it.',
  spam: 'The email was taken for spam: it is in the folder Junk Email, or was dropped.',
  expanded: 'The address is a group. Its members receive the email, and are not listed here.',
  'not-asked':
    'The relay has no answer of the message trace about this email yet, so nothing is known of this recipient.',
  unseen:
    'The relay did not find this recipient in the message trace when it last asked. Exchange lists an email 5 to 15 minutes after it was sent.',
  missing:
    'The message trace does not list this recipient, although it should by now. If the sender is a further address of a mailbox, name the main address as the sender.',
};

const REMEDIES: Readonly<Partial<Record<RecipientStatus['status'], string>>> = {
  quarantined:
    'An administrator releases the email in the Microsoft Defender portal (Review, Quarantine), and allows the sender there.',
  spam: 'Ask the recipient to look in Junk Email and to mark the email as not junk. Check SPF, DKIM and DMARC of the domain of the sender.',
};

/** Every recipient of an email, in the order to, cc, bcc; an address that is there twice is told at both places. */
export const describeRecipients = (
  row: InState<'sent'>,
  hashOf: (address: string) => string,
): readonly RecipientStatus[] => {
  const { recipientHashes, recipientAddresses = [] } = row.facts;
  const known = new Map((row.fate.deliveries ?? []).map((one) => [one.recipient, one]));
  const addresses = new Map(recipientAddresses.map((address) => [hashOf(address), address]));
  const absent = absentIn(row);
  return (recipientHashes ?? recipientsOf(row)).map((hash, index) => {
    const delivery = known.get(hash);
    const status = delivery?.status ?? absent;
    const place = recipientHashes === undefined ? undefined : index + 1;
    return {
      ...defined({ recipient: place, address: addresses.get(hash) }),
      status,
      meaning: MEANINGS[status],
      ...(delivery === undefined ? {} : told(delivery)),
      ...wayOut(status, delivery?.code),
    };
  });
};

/** What is said of a recipient of whom nothing is known: only what was seen when the trace was asked. */
const absentIn = (row: InState<'sent'>): 'not-asked' | 'unseen' | 'missing' => {
  const { tracedAt, traceGap } = row.fate;
  if (tracedAt === undefined) return 'not-asked';
  return traceGap === undefined && isOverdueInTrace(row, new Date(tracedAt)) ? 'missing' : 'unseen';
};

const told = ({ recipient: _, status: __, ...news }: RecipientDelivery) => news;

const wayOut = (status: RecipientStatus['status'], code: string | undefined) =>
  status === 'failed' || (status === 'pending' && code !== undefined)
    ? explainBounce(code)
    : defined({ remedy: REMEDIES[status] });
