import type { EventType, RelayEvent } from '../ledger/relay-event.ts';

/** An event in CloudEvents 1.0, structured JSON (https://github.com/cloudevents/spec, json-format). */
export type CloudEvent = {
  readonly specversion: '1.0';
  readonly id: string;
  /** The relay that says so; unique together with the id. */
  readonly source: string;
  readonly type: EventType;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: RelayEvent['data'];
};

/** The `source` of the events of the relay with this name. */
export const sourceOf = (relayName: string): string => `/graph-mail-relay/${encodeURIComponent(relayName)}`;

/** The same event in CloudEvents. Its type is the same text, so that a subscription filters both shapes alike. */
export const toCloudEvent = (
  { id, eventType, subject, eventTime, data }: RelayEvent,
  source: string,
): CloudEvent => ({
  specversion: '1.0',
  id,
  source,
  type: eventType,
  subject,
  time: eventTime,
  datacontenttype: 'application/json',
  data,
});
