import { defined } from '../defined.ts';
import type { LogEvent } from '../log.ts';
import type { CountedName } from './instruments.ts';
import { daysLeftOf, queueAgeSeconds, type RelaySample, type Totals } from './relay-sample.ts';
import { readSeriesKey, type Tally } from './tally.ts';

const sumOf = (
  { counts }: Tally,
  instrument: CountedName,
  is: (attributes: Readonly<Record<string, string>>) => boolean = () => true,
): number =>
  Object.entries(counts).reduce((sum, [key, count]) => {
    const series = readSeriesKey(key);
    return series?.instrument === instrument && is(series.attributes) ? sum + count : sum;
  }, 0);

/** The totals that a sample has, of everything that was counted. */
export const totalsOf = (tally: Tally): Totals => {
  const outcome = (name: string) =>
    sumOf(tally, 'mailrelay.mail.outcomes', ({ outcome: ofSeries }) => ofSeries === name);
  return {
    accepted: sumOf(tally, 'mailrelay.mail.accepted'),
    sent: outcome('sent'),
    rejected: outcome('rejected'),
    held: outcome('held'),
    graphRequests: sumOf(tally, 'mailrelay.graph.requests'),
    graphWasted: sumOf(tally, 'mailrelay.graph.wasted'),
  };
};

const largest = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values);

const rounded = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value * 1000) / 1000;

/** A sample as the log has it, for alert rules and workbooks: fixed fields, and neither a mailbox nor a credential by name. */
export const metricsEvent = (
  { at, queues, poisonMessages, held, credentials, mailboxes, totals }: RelaySample,
  now: Date,
): Extract<LogEvent, { event: 'Metrics' }> => {
  const seen = queues.filter(({ messages }) => messages !== undefined);
  return {
    event: 'Metrics',
    ...defined({
      queueMessages:
        seen.length === 0 ? undefined : seen.reduce((sum, { messages = 0 }) => sum + messages, 0),
      queueAge: rounded(largest(seen.map((queue) => queueAgeSeconds(queue, new Date(at))))),
      poisonMessages,
      held: held?.count,
      secretDaysLeft:
        credentials && credentials.all.length > 0
          ? Math.min(...credentials.all.map((one) => daysLeftOf(one, now)))
          : undefined,
      mailboxMinuteShare: rounded(mailboxes && largest(mailboxes.map(({ minute }) => minute))),
      mailboxDayShare: rounded(mailboxes && largest(mailboxes.map(({ day }) => day))),
      mailboxesPaused: mailboxes?.filter(({ pausedUntil }) => pausedUntil !== undefined).length,
      accepted: totals?.accepted,
      sent: totals?.sent,
      rejected: totals?.rejected,
      heldInAll: totals?.held,
      graphRequests: totals?.graphRequests,
      graphWasted: totals?.graphWasted,
    }),
  };
};
