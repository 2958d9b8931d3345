import { mayBeSent } from './in-doubt.ts';
import { withOffset } from './postmark-answer.ts';

/** The status of an email of ours, as far as Postmark's form has a place for it. */
export type StatusFacts = {
  readonly id: string;
  readonly state: string;
  readonly sender: string;
  readonly tags: readonly string[];
  readonly acceptedAt: string;
  readonly recipientAddresses?: unknown;
  readonly captured?: unknown;
  readonly deliveries?: unknown;
  readonly reason?: unknown;
  readonly timeline?: unknown;
};

type Delivery = {
  readonly address?: string;
  readonly status: string;
  readonly at: string;
  readonly code?: string;
  readonly cause?: string;
};

/** What Postmark calls a state. Its own emails do not end as `Failed`; the status of ours says why. */
const statusOf = ({ state, ...facts }: StatusFacts): string => {
  if (state === 'sent' || state === 'captured') return 'Sent';
  if (state === 'held' && mayBeSent(facts)) return 'Queued';
  // It was held in doubt: an operator who finds it in Sent Items closes it.
  if (state === 'closed' && mayBeSent(facts)) return 'Sent';
  return ['queued', 'sending', 'deferred', 'unknown'].includes(state) ? 'Queued' : 'Failed';
};

const SERVER_UNKNOWN = { DestinationServer: '', DestinationIP: '' };

/** What is known of one recipient, where Postmark has an event for it. */
const eventsOf = ({ address = '', status, at, code, cause }: Delivery): readonly unknown[] => {
  const event = (Type: string, Details: unknown) => [
    { Recipient: address, Type, ReceivedAt: withOffset(at), Details },
  ];
  const words = [code, cause].filter((one) => one !== undefined).join(' ');
  switch (status) {
    case 'delivered':
      return event('Delivered', {
        DeliveryMessage: 'The mail server of the recipient accepted the email.',
        ...SERVER_UNKNOWN,
      });
    case 'failed':
      return event('Bounced', { Summary: words, BounceID: 0 });
    case 'pending':
      return event('Transient', { DeliveryMessage: words, ...SERVER_UNKNOWN });
    default:
      return [];
  }
};

/**
 * `GET /messages/outbound/{id}/details`: what is known of an email. The relay keeps neither subject nor body, and addresses only where
 * MAIL_LEDGER_RECIPIENTS says so; these are empty.
 */
export const toMessageDetails = (status: StatusFacts): Readonly<Record<string, unknown>> => {
  const { id, sender, tags, acceptedAt, recipientAddresses = [], captured, deliveries = [] } = status;
  return {
    TextBody: '',
    HtmlBody: '',
    Body: '',
    Tag: tags[0] ?? '',
    MessageID: id,
    To: [],
    Cc: [],
    Bcc: [],
    Recipients: recipientAddresses,
    ReceivedAt: withOffset(acceptedAt),
    From: sender,
    Subject: '',
    Attachments: [],
    Status: statusOf(status),
    TrackOpens: false,
    TrackLinks: 'None',
    Metadata: {},
    MessageStream: 'outbound',
    Sandboxed: captured === true,
    MessageEvents: (deliveries as readonly Delivery[]).flatMap(eventsOf),
  };
};

/** `GET /server`: the caller, which is what a server is at Postmark. */
export const toServer = (name: string, isSandbox: boolean): Readonly<Record<string, unknown>> => ({
  ID: 0,
  Name: name,
  ApiTokens: [],
  Color: 'grey',
  SmtpApiActivated: false,
  RawEmailEnabled: false,
  DeliveryType: isSandbox ? 'Sandbox' : 'Live',
  ServerLink: '',
  InboundAddress: '',
  InboundHookUrl: '',
  BounceHookUrl: '',
  OpenHookUrl: '',
  DeliveryHookUrl: '',
  ClickHookUrl: '',
  PostFirstOpenOnly: false,
  InboundDomain: '',
  InboundHash: '',
  InboundSpamThreshold: 0,
  TrackOpens: false,
  TrackLinks: 'None',
  IncludeBounceContentInHook: false,
  EnableSmtpApiErrorHooks: false,
});
