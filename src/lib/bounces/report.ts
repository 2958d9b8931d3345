import { defined } from '../defined.ts';
import type { LedgerRow, RecipientDelivery } from '../ledger/ledger-row.ts';
import type { Action, RecipientFields } from './delivery-status.ts';
import { headerOf, type ReceivedMessage } from './received-message.ts';
import type { ReportContent } from './report-content.ts';
import type { ReportKind } from './report-kind.ts';

/** What became of one recipient, as a report says. */
export type ReportedRecipient = {
  readonly addresses: readonly string[];
  readonly status: RecipientDelivery['status'];
  readonly code?: string;
};

/** A report, as far as it is worth knowing. Anybody can have written it. */
export type Report = {
  readonly reportedAt: Date;
  /** Of the email it is about, the best first. */
  readonly messageIds: readonly string[];
  readonly mailId?: string;
  readonly recipients: readonly ReportedRecipient[];
};

/** Relayed to a system that sends no reports: the next server took it, and nothing more will be known. */
const STATUS_OF: Readonly<Record<Action, RecipientDelivery['status']>> = {
  failed: 'failed',
  delayed: 'pending',
  relayed: 'delivered',
  delivered: 'delivered',
  expanded: 'expanded',
};

/** The last ids of References are the nearest. */
const MOST_IDS = 4;

const idsIn = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .slice(-4000)
    .match(/<[!-;=?-~]{1,900}>/g)
    ?.slice(-2)
    .reverse() ?? [];

/** Puts together what Graph shows of a report and what its MIME says. */
export const toReport = (
  message: ReceivedMessage,
  kind: Exclude<ReportKind, 'receipt'>,
  content: ReportContent,
): Report => ({
  reportedAt: message.receivedAt,
  messageIds: [
    ...new Set([
      ...idsIn(headerOf(message, 'in-reply-to')),
      ...idsIn(headerOf(message, 'references')),
      ...content.messageIds,
    ]),
  ].slice(0, MOST_IDS),
  ...defined({ mailId: content.mailId }),
  recipients: recipientsOf(message, kind, content),
});

const recipientsOf = (
  { toAddresses }: ReceivedMessage,
  kind: Exclude<ReportKind, 'receipt'>,
  { recipients, code }: ReportContent,
): readonly ReportedRecipient[] => {
  if (recipients.length > 0) return recipients.flatMap((one) => ofFields(one, kind));
  // Without fields only the class says what happened, and whom Exchange names.
  if (kind === 'status') return [];
  return toAddresses.map((address) => ({
    addresses: [address],
    status: STATUS_OF[kind],
    // Of several recipients, the text does not say whose code it is.
    ...(toAddresses.length === 1 ? defined({ code }) : {}),
  }));
};

const ofFields = (
  { addresses, action, code }: RecipientFields,
  kind: Exclude<ReportKind, 'receipt'>,
): readonly ReportedRecipient[] => {
  const known = action ?? (kind === 'status' ? undefined : kind);
  return known === undefined ? [] : [{ addresses, status: STATUS_OF[known], ...defined({ code }) }];
};

/**
 * What a report says of the recipients that an email really has; of others, nothing. Anybody can write a report, so an id alone proves
 * nothing.
 */
export const deliveriesIn = (
  { recipients, reportedAt }: Report,
  { facts }: LedgerRow,
  hashOf: (address: string) => string,
  { isGuess = false } = {},
): readonly RecipientDelivery[] => {
  const own = new Set(facts.recipientHashes ?? facts.recipientAddresses?.map(hashOf) ?? []);
  return recipients.flatMap(({ addresses, status, code }) => {
    const recipient = addresses.map(hashOf).find((one) => own.has(one));
    return recipient === undefined
      ? []
      : [
          {
            recipient,
            status,
            source: 'report' as const,
            at: reportedAt.toISOString(),
            ...defined({ code }),
            ...(isGuess ? { isGuess: true as const } : {}),
          },
        ];
  });
};
