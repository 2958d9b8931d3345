import { defined } from '../defined.ts';
import { isFinal, type LedgerRow, type MailState } from './ledger-row.ts';

/** What is told of a mail that reached a final state, in the shape of Event Grid's own schema. */
export type MailEvent = {
  readonly id: string;
  readonly eventType: `GraphMailRelay.Mail.${string}`;
  readonly subject: string;
  readonly eventTime: string;
  readonly dataVersion: '1';
  readonly data: {
    readonly mailId: string;
    readonly state: MailState;
    readonly caller: string;
    readonly tags: readonly string[];
    readonly redirected?: true;
    readonly captured?: true;
    readonly code?: string;
    readonly graphRequestId?: string;
  };
};

/** What is told of a caller. */
export type CallerEvent = {
  readonly id: string;
  readonly eventType: 'GraphMailRelay.Caller.LimitReached';
  readonly subject: string;
  readonly eventTime: string;
  readonly dataVersion: '1';
  readonly data: { readonly caller: string; readonly day: string; readonly resetsAt: string };
};

export type RelayEvent = MailEvent | CallerEvent;

/** The event of a caller that has reached its limit; its id is the same for the whole day. */
export const limitReachedEvent = (caller: string, day: string, resetsAt: Date, now: Date): CallerEvent => ({
  id: `${caller}/${day}/limit-reached`,
  eventType: 'GraphMailRelay.Caller.LimitReached',
  subject: `caller/${caller}`,
  eventTime: now.toISOString(),
  dataVersion: '1',
  data: { caller, day, resetsAt: resetsAt.toISOString() },
});

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
