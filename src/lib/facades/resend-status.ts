import { mayBeSent } from './in-doubt.ts';
import { toTheirTag } from './resend-tags.ts';

/** What the relay says of an email, as far as it is told here. */
export type ToldStatus = {
  readonly id: string;
  readonly state: string;
  readonly sender: string;
  readonly recipients: number;
  readonly recipientAddresses?: unknown;
  readonly tags: readonly string[];
  readonly acceptedAt: string;
  readonly sendAt?: unknown;
  readonly until?: unknown;
  readonly reason?: unknown;
  readonly internetMessageId?: unknown;
  readonly bounced?: unknown;
  readonly deliveries?: unknown;
  readonly timeline?: unknown;
};

const isDelivered = (one: unknown): boolean =>
  typeof one === 'object' && one !== null && 'status' in one && one.status === 'delivered';

/** What happened last, in the words of Resend. */
const lastEventOf = (status: ToldStatus, now: Date): string => {
  const { state, sendAt, bounced, deliveries, recipients, reason } = status;
  switch (state) {
    case 'queued':
      return typeof sendAt === 'string' && Date.parse(sendAt) > now.getTime() ? 'scheduled' : 'queued';
    case 'sending':
    case 'deferred':
      return 'queued';
    case 'unknown':
      return 'delivery_delayed';
    case 'held':
      return mayBeSent(status) ? 'delivery_delayed' : 'failed';
    case 'sent': {
      if (bounced === true) return 'bounced';
      const known = Array.isArray(deliveries) ? deliveries : [];
      return known.length >= recipients && known.every(isDelivered) ? 'delivered' : 'sent';
    }
    // As in production, where a test asks: nobody receives it, which the state of the relay says.
    case 'captured':
      return 'sent';
    case 'canceled':
      return 'canceled';
    case 'closed':
      if (isWaiting(reason)) return 'canceled';
      // It was held in doubt: an operator who finds it in Sent Items closes it.
      return mayBeSent(status) ? 'sent' : 'failed';
    default:
      return 'failed';
  }
};

/** An operator has ended it before an attempt began. */
const isWaiting = (reason: unknown): boolean =>
  typeof reason === 'object' && reason !== null && 'code' in reason && reason.code === 'CLOSED_WHILE_WAITING';

/** As Postgres writes a time, and so Resend: `2026-11-26 17:30:00.123000+00`. */
const asPostgres = (iso: string): string => iso.replace('T', ' ').replace(/Z$/, '000+00');

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/**
 * An email as GET /emails/{id} shows it. The relay keeps neither subject nor body nor who is in which list, so that these are empty; the
 * addresses of all recipients are there where the settings keep them.
 */
export const toEmailObject = (status: ToldStatus, now: Date) => ({
  object: 'email',
  id: status.id,
  message_id: textOrNull(status.internetMessageId),
  from: status.sender,
  to: Array.isArray(status.recipientAddresses) ? status.recipientAddresses : [],
  cc: null,
  bcc: null,
  reply_to: null,
  subject: '',
  html: null,
  text: null,
  tags: status.tags.map(toTheirTag),
  created_at: asPostgres(status.acceptedAt),
  scheduled_at: textOrNull(status.sendAt),
  last_event: lastEventOf(status, now),
});
