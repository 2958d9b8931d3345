import { defined } from '../defined.ts';
import { type LogEvent, levelOf } from '../log.ts';
import type { CountedName } from './instruments.ts';
import type { Measurement } from './tally.ts';

const one = (
  instrument: CountedName,
  attributes: Readonly<Record<string, string | undefined>> = {},
  value = 1,
): Measurement => ({ instrument, attributes: defined(attributes) as Record<string, string>, value });

const RESULTS = new Set(['found', 'absent', 'draft', 'never-sent', 'not-now', 'cannot-tell']);

/** What an event counts for. Nothing is measured that is not in the log, or could not be. */
export const measurementsOf = (event: LogEvent): readonly Measurement[] => {
  const level = levelOf(event);
  const ofEvent = measure(event);
  return level === 'warn' || level === 'error'
    ? [...ofEvent, one('mailrelay.log.events', { event: event.event, level })]
    : ofEvent;
};

const measure = (event: LogEvent): readonly Measurement[] => {
  switch (event.event) {
    case 'MailAccepted':
      return [one('mailrelay.mail.accepted', { door: event.door })];
    case 'MailSent': {
      const { connection, attempts, tookMs, queuedMs } = event;
      return [
        one('mailrelay.mail.outcomes', { outcome: 'sent' }),
        one('mailrelay.mail.attempts', {}, attempts),
        one('mailrelay.mail.accept.time', { connection }, tookMs / 1000),
        ...(queuedMs === undefined ? [] : [one('mailrelay.mail.queue.time', {}, queuedMs / 1000)]),
      ];
    }
    case 'MailRejected':
      return [one('mailrelay.mail.outcomes', { outcome: 'rejected', code: event.code })];
    case 'MailHeld':
      return [one('mailrelay.mail.outcomes', { outcome: 'held', code: event.code })];
    case 'MailClosed':
      return [one('mailrelay.mail.outcomes', { outcome: 'closed' })];
    case 'MailCanceled':
      return [one('mailrelay.mail.outcomes', { outcome: 'canceled' })];
    case 'MailCaptured':
      return [one('mailrelay.mail.outcomes', { outcome: 'captured' })];
    case 'MailReplayed':
      return [one('mailrelay.mail.replayed')];
    case 'MailQueued':
      return [
        event.attempts === 0
          ? one('mailrelay.mail.waits', { reason: event.waitMs > 0 ? 'mailbox-limit' : 'asked' })
          : one('mailrelay.mail.waits', { reason: 'attempt', code: event.code }),
      ];
    case 'MailPaced':
      return [one('mailrelay.mail.waits', { reason: 'mailbox-limit' })];
    case 'MailLimited':
      return [one('mailrelay.mail.waits', { reason: 'caller-limit' })];
    case 'MailScheduled':
      return [one('mailrelay.mail.waits', { reason: 'send-at' })];
    case 'MailUnknown':
      return [one('mailrelay.mail.waits', { reason: 'unknown-outcome' })];
    case 'SendBlocked':
      return [one('mailrelay.mail.waits', { reason: 'blocked', code: event.code })];
    case 'MailLookedUp':
      return [one('mailrelay.mail.look_ups', { result: RESULTS.has(event.result) ? event.result : 'other' })];
    case 'GraphAnswered': {
      const { connection, answer } = event;
      const isWasted = answer === 'throttled' || answer === 'unavailable';
      return [
        one('mailrelay.graph.requests', { connection, answer }),
        ...(isWasted ? [one('mailrelay.graph.wasted', { connection })] : []),
      ];
    }
    case 'MailBounced':
      return [one('mailrelay.mail.bounces', { kind: event.kind }, event.recipients)];
    case 'WebhookSent':
      return [one('mailrelay.webhook.posts', { outcome: 'sent' })];
    case 'WebhookFailed':
      return [one('mailrelay.webhook.posts', { outcome: 'failed', fault: event.fault })];
    case 'WebhookGivenUp':
      return [one('mailrelay.webhook.posts', { outcome: 'given-up', fault: event.fault })];
    case 'RequestRefused':
      return [one('mailrelay.requests.refused', { code: event.code })];
    default:
      return [];
  }
};
