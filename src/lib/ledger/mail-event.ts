import { createHash } from 'node:crypto';
import { defined } from '../defined.ts';
import {
  isFinal,
  type LedgerRow,
  type MailState,
  type RecipientDelivery,
  type Row,
  type Sent,
} from './ledger-row.ts';
import type { EventType, RelayEventOf } from './relay-event.ts';

/** What became of one recipient after Exchange had accepted the email. No address and no hash of one is in it. */
type RecipientNews = Omit<RecipientDelivery, 'recipient'> & {
  /** Its place among the recipients to, cc and bcc, counted from 0; absent for an email from before the ledger kept them. */
  readonly index?: number;
};

type MailFields = {
  readonly mailId: string;
  readonly state: MailState;
  readonly caller: string;
  readonly tags: readonly string[];
  readonly redirected?: true;
  readonly captured?: true;
  readonly code?: string;
  readonly graphRequestId?: string;
  readonly recipients?: readonly RecipientNews[];
  /** How many more recipients there are than the event names. */
  readonly omitted?: number;
};

/** What is told of an email: that it reached a final state, or what became of recipients after that. */
export type MailEvent = RelayEventOf<Extract<EventType, `GraphMailRelay.Mail.${string}`>, MailFields>;

const EVENT_TYPES = {
  sent: 'Sent',
  rejected: 'Rejected',
  held: 'Held',
  closed: 'Closed',
  canceled: 'Canceled',
  captured: 'Captured',
} as const;

/** The event of a final state; its id is the same each time it is made, so that a receiver can tell. */
export const eventOf = (row: LedgerRow): MailEvent | undefined => {
  if (!isFinal(row)) return undefined;
  const { facts, progress, fate } = row;
  const { mailId, caller, tags } = facts;
  return {
    id: `${mailId}/${progress.turn}/${fate.state}`,
    eventType: `GraphMailRelay.Mail.${EVENT_TYPES[fate.state]}`,
    subject: `mail/${mailId}`,
    eventTime: progress.updatedAt,
    dataVersion: '1',
    data: {
      ...{ mailId, state: fate.state, caller, tags },
      ...defined({
        redirected: progress.redirected,
        captured: progress.captured,
        code: 'reason' in fate ? fate.reason.code : undefined,
        graphRequestId: fate.state === 'sent' ? fate.graphRequestId : undefined,
      }),
    },
  };
};

/** The event that recipients certainly did not get an email; undefined where none of the deliveries says that. */
export const bouncedEventOf = (
  row: Row<Sent>,
  deliveries: readonly RecipientDelivery[],
  now: Date,
): MailEvent | undefined => deliveryEvent('Bounced', row, ofStatus(deliveries, 'failed'), now);

/** The event that the next mail server took an email for recipients; undefined where none of the deliveries says that. */
export const deliveredEventOf = (
  row: Row<Sent>,
  deliveries: readonly RecipientDelivery[],
  now: Date,
): MailEvent | undefined => deliveryEvent('Delivered', row, ofStatus(deliveries, 'delivered'), now);

const ofStatus = (deliveries: readonly RecipientDelivery[], status: RecipientDelivery['status']) =>
  deliveries.filter((one) => one.status === status);

/** A message of a queue holds 64 KiB (Azure Queue Storage limits), and an email can have 500 recipients. */
const MOST_RECIPIENTS = 100;

const deliveryEvent = (
  type: 'Bounced' | 'Delivered',
  row: Row<Sent>,
  deliveries: readonly RecipientDelivery[],
  now: Date,
): MailEvent | undefined => {
  if (deliveries.length === 0) return undefined;
  const { mailId, caller, tags, recipientHashes = [] } = row.facts;
  const told = deliveries.flatMap(({ recipient, ...news }): readonly RecipientNews[] => {
    // An address in to and cc is at two places, and the event says what became of both.
    const places = recipientHashes.flatMap((hash, index) => (hash === recipient ? [{ index, ...news }] : []));
    return places.length === 0 ? [news] : places;
  });
  const shown = told.slice(0, MOST_RECIPIENTS);
  return {
    // Of other recipients it is another event; the same recipients bounce once, whoever says so.
    id: `${mailId}/${row.progress.turn}/${type.toLowerCase()}/${nameOf(deliveries)}`,
    eventType: `GraphMailRelay.Mail.${type}`,
    subject: `mail/${mailId}`,
    eventTime: now.toISOString(),
    dataVersion: '1',
    data: {
      ...{ mailId, state: row.fate.state, caller, tags },
      ...defined({
        redirected: row.progress.redirected,
        graphRequestId: row.fate.graphRequestId,
        omitted: told.length > shown.length ? told.length - shown.length : undefined,
      }),
      recipients: shown,
    },
  };
};

/** A short name for these recipients, in whichever order they are given. */
const nameOf = (deliveries: readonly RecipientDelivery[]): string =>
  createHash('sha256')
    .update([...new Set(deliveries.map(({ recipient }) => recipient))].toSorted().join('\n'))
    .digest('base64url')
    .slice(0, 16);
