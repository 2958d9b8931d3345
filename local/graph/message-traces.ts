import { v5 as uuidFromName } from 'uuid';
import type { CapturedMail, GraphRecipient } from '../../src/lib/inbox/captured-mail.ts';
import { bounceCodeOf, fateOf } from './recipient-fate.ts';
import type { GraphSettings } from './settings.ts';

/** A row of the trace, as Graph gives it (graph: exchangeMessageTrace): one for each email and recipient. */
export type TraceRow = {
  readonly id: string;
  readonly senderAddress: string;
  readonly recipientAddress: string;
  readonly messageId: string;
  readonly receivedDateTime: string;
  readonly subject: string;
  readonly size: number;
  readonly fromIP: string;
  readonly toIP: string;
  /** In capital letters, as a sample of the documentation has it; other samples do not. */
  readonly status: 'Pending' | 'Failed' | 'Delivered' | 'Expanded' | 'Quarantined' | 'FilteredAsSpam';
};

/** graph: exchangeMessageTraceDetail */
export type TraceDetail = {
  readonly id: string;
  readonly messageId: string;
  readonly dateTime: string;
  readonly event: string;
  readonly action: string;
  readonly description: string;
  readonly data: string;
};

const SLOW_MS = 10 * 60_000;
const ROWS = uuidFromName('message traces', uuidFromName.URL);

export type MessageTraces = ReturnType<typeof makeMessageTraces>;

/** Traces of what was accepted, seeded with what earlier runs captured. Newest first, and only what has had time to show. */
export const makeMessageTraces = (
  earlier: readonly CapturedMail[],
  settings: () => Pick<GraphSettings, 'traceDelayMs'>,
) => {
  const mails: CapturedMail[] = [...earlier];
  return {
    keep: (mail: CapturedMail): void => void mails.push(mail),
    /** Of the mailboxes of one tenant. */
    list: (isOfTenant: (mailbox: string) => boolean, now: Date): readonly TraceRow[] =>
      mails
        .filter(({ mailbox, acceptedAt }) => {
          const age = now.getTime() - Date.parse(acceptedAt);
          return isOfTenant(mailbox) && age >= settings().traceDelayMs;
        })
        .flatMap((mail) => rowsOf(mail, now))
        .sort(newestFirst),
  };
};

const newestFirst = (one: TraceRow, other: TraceRow): number =>
  other.receivedDateTime.localeCompare(one.receivedDateTime) ||
  one.id.localeCompare(other.id) ||
  one.recipientAddress.localeCompare(other.recipientAddress);

const rowsOf = (mail: CapturedMail, now: Date): readonly TraceRow[] => {
  const { message } = mail.request.body;
  const recipients = addressesOf(message.toRecipients, message.ccRecipients, message.bccRecipients);
  const common = {
    id: uuidFromName(mail.id, ROWS),
    senderAddress: mail.mailbox,
    messageId: mail.internetMessageId ?? `<${mail.id}@contoso.example>`,
    receivedDateTime: mail.acceptedAt,
    subject: message.subject ?? '',
    size: JSON.stringify(message).length,
    fromIP: '203.0.113.10',
    toIP: '',
  };
  const age = now.getTime() - Date.parse(mail.acceptedAt);
  const row = (recipientAddress: string, status: TraceRow['status']) => ({
    ...common,
    recipientAddress,
    status,
  });
  return recipients.flatMap((address) => {
    const status = statusOf(address, age);
    return status === 'Expanded'
      ? [row(address, status), ...membersOf(address).map((member) => row(member, 'Delivered'))]
      : [row(address, status)];
  });
};

const addressesOf = (...lists: readonly (readonly GraphRecipient[] | undefined)[]): readonly string[] => [
  ...new Map(
    lists.flatMap((list = []) =>
      list.map(({ emailAddress: { address } }) => [address.toLowerCase(), address] as const),
    ),
  ).values(),
];

const membersOf = (group: string): readonly string[] => [`member1.${group}`, `member2.${group}`];

const statusOf = (address: string, ageMs: number): TraceRow['status'] => {
  switch (fateOf(address)) {
    case 'failed':
      return 'Failed';
    case 'pending':
      return 'Pending';
    case 'slow':
      return ageMs < SLOW_MS ? 'Pending' : 'Delivered';
    case 'quarantined':
      return 'Quarantined';
    case 'spam':
      return 'FilteredAsSpam';
    case 'expanded':
      return 'Expanded';
    case 'delivered':
      return 'Delivered';
  }
};

/** The events of one recipient. The words are those that Exchange was seen to write; those of one second come in any order. */
export const detailsOf = (row: TraceRow): readonly TraceDetail[] => {
  const { id, messageId, receivedDateTime, recipientAddress, status } = row;
  const detail = (event: string, seconds: number, description: string, data = ''): TraceDetail => ({
    id,
    messageId,
    dateTime: new Date(Date.parse(receivedDateTime) + seconds * 1000).toISOString(),
    event,
    action: '',
    description,
    data: `<root><MEP Name="ServerHostName" String="AS8PR01MB1234"/>${data}</root>`,
  });
  const received = [
    detail('Receive', 0, 'Message received by: AS8PR01MB1234.eurprd01.prod.exchangelabs.com'),
    detail('Submit', 0, 'The message was submitted.'),
  ];
  switch (status) {
    case 'Failed': {
      const code = bounceCodeOf(recipientAddress);
      const reason = `[{LED=550 ${code} RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup};{MSG=};{FQDN=mx.example.net};{IP=203.0.113.25};{LRT=${receivedDateTime}}]`;
      return [
        detail('Drop', 2, 'Reason: [{LED=250 2.1.5 clean-up}]'),
        ...received,
        detail('Fail', 2, `Reason: ${reason}`, `<MEP Name="RecipientStatus" String="${reason}"/>`),
      ];
    }
    case 'Pending':
      return [
        ...received,
        detail(
          'Defer',
          3,
          'Reason: [{LED=451 4.4.316 Connection refused [Message=Socket error code 10061]};{MSG=};{FQDN=mx.example.net};{IP=203.0.113.25};{LRT=}]',
        ),
      ];
    case 'Expanded':
      return [
        ...received,
        detail('Drop', 1, 'Reason: [{LED=250 2.1.5 RESOLVER.GRP.Expanded; distribution list expanded}]'),
      ];
    case 'Quarantined':
      return [...received, detail('Deliver', 2, 'The message was delivered to quarantine.')];
    case 'FilteredAsSpam':
      return [
        ...received,
        detail('Deliver', 2, 'The message was delivered to the folder: DefaultFolderType:JunkEmail'),
      ];
    case 'Delivered':
      return [...received, detail('Deliver', 2, 'The message was successfully delivered.')];
  }
};
