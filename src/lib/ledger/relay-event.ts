import type { MailEvent } from './mail-event.ts';

/** Every kind of event, by the name under which receivers choose. A name never changes; a new kind is a new name. */
export const EVENT_TYPES = [
  'GraphMailRelay.Mail.Sent',
  'GraphMailRelay.Mail.Rejected',
  'GraphMailRelay.Mail.Held',
  'GraphMailRelay.Mail.Closed',
  'GraphMailRelay.Mail.Canceled',
  'GraphMailRelay.Mail.Captured',
  'GraphMailRelay.Mail.Bounced',
  'GraphMailRelay.Mail.Delivered',
  'GraphMailRelay.Caller.LimitReached',
  'GraphMailRelay.Credential.Warning',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** An event in the shape of Event Grid's own schema. */
export type RelayEventOf<Type extends EventType, Data extends object> = {
  /** The same each time the event is made. It has no full stop in it, which ends the id where a webhook is signed. */
  readonly id: string;
  readonly eventType: Type;
  readonly subject: string;
  readonly eventTime: string;
  readonly dataVersion: '1';
  readonly data: Data;
};

/** What is told of a caller. */
export type CallerEvent = RelayEventOf<
  'GraphMailRelay.Caller.LimitReached',
  { readonly caller: string; readonly day: string; readonly resetsAt: string }
>;

/** What is told of a credential: the same fields as in the log. */
export type CredentialEvent = RelayEventOf<
  'GraphMailRelay.Credential.Warning',
  {
    readonly credential: string;
    readonly kind: string;
    readonly state: string;
    readonly inUse: boolean;
    readonly connection?: string;
    readonly daysLeft?: number;
    readonly expiresOn?: string;
    readonly code?: string;
    readonly ownerTag?: string;
  }
>;

export type RelayEvent = MailEvent | CallerEvent | CredentialEvent;

/** The event of a caller that has reached its limit; its id is the same for the whole day. */
export const limitReachedEvent = (caller: string, day: string, resetsAt: Date, now: Date): CallerEvent => ({
  id: `${caller}/${day}/limit-reached`,
  eventType: 'GraphMailRelay.Caller.LimitReached',
  subject: `caller/${caller}`,
  eventTime: now.toISOString(),
  dataVersion: '1',
  data: { caller, day, resetsAt: resetsAt.toISOString() },
});
